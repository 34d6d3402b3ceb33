# As production, but small: everything on spare capacity, logs for two weeks.
region       = "ap-southeast-2"
environment  = "staging"
owner        = "platform"
contact      = "platform@example.com"
cluster_name = "staging"
vpc_cidr     = "10.21.0.0/16"

log_retention_days = 14

services = {
  web = {
    capacity_provider_strategy = [{ capacity_provider = "FARGATE_SPOT" }]
    containers = {
      nginx = {
        image          = "public.ecr.aws/nginx/nginx:1.28-alpine"
        ports          = [80]
        writable_paths = ["/var/cache/nginx", "/var/run"]
      }
    }
    allowed_cidrs = ["10.0.0.0/8"]
  }
}
