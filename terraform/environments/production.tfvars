# Three zones; two tasks always on demand, the rest on spare capacity; logs for a year.
region       = "ap-southeast-2"
environment  = "production"
owner        = "platform"
contact      = "platform@example.com"
cluster_name = "production"
vpc_cidr     = "10.22.0.0/16"
zone_count   = 3

container_insights   = "enabled"
log_retention_days   = 365
enable_lambda_mirror = true

services = {
  web = {
    cpu              = 512
    memory           = 1024
    cpu_architecture = "ARM64"
    desired_count    = 4
    capacity_provider_strategy = [
      { capacity_provider = "FARGATE", base = 2, weight = 1 },
      { capacity_provider = "FARGATE_SPOT", weight = 3 },
    ]
    containers = {
      nginx = {
        image          = "public.ecr.aws/nginx/nginx:1.28-alpine"
        ports          = [80]
        writable_paths = ["/var/cache/nginx", "/var/run"]
      }
      echo = {
        image     = "hashicorp/http-echo:1.0.0"
        ports     = [5678]
        essential = false
      }
    }
    allowed_cidrs = ["10.0.0.0/8"]
  }
}
