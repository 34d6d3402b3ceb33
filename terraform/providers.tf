# The only provider block. The three tags that ecs-status filters by are set here and nowhere else:
# every resource that can carry tags inherits them, and ECS passes them on to the tasks.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      environment = var.environment
      owner       = var.owner
      contact     = var.contact
    }
  }
}
