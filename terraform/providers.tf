# The only provider block. The three tags that ecs-status filters by are set here and nowhere else:
# every resource that can carry tags inherits them, and ECS passes them on to the tasks.
provider "aws" {
  region = var.region

  # Provider 5 knows the regions of its day alone, and refuses those that AWS opened since.
  skip_region_validation = true

  default_tags {
    tags = {
      environment = var.environment
      owner       = var.owner
      contact     = var.contact
    }
  }
}
