# The root is the only place where modules meet: what one needs of another is handed on here.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Zones that every account has; local and wavelength zones would have to be opted into.
data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:Only the first zone_count names in their order are used, so a zone that AWS adds behind them changes nothing.
  count = var.create_fleet ? 1 : 0

  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }

  lifecycle {
    postcondition {
      condition     = length(self.names) >= var.zone_count
      error_message = "${var.region} has ${length(self.names)} availability zones: zone_count must be at most that."
    }
  }
}

module "network" {
  source = "./modules/network"
  count  = var.create_fleet ? 1 : 0

  name    = var.cluster_name
  cidr    = var.vpc_cidr
  zones   = local.zones
  traffic = local.traffic
}

module "fargate" {
  source = "./modules/fargate"
  count  = var.create_fleet ? 1 : 0

  cluster_name       = var.cluster_name
  container_insights = var.container_insights
  log_retention_days = var.log_retention_days
  services           = var.services

  subnet_ids         = module.network[0].subnet_ids
  security_group_ids = module.network[0].security_group_ids

  region     = var.region
  account_id = local.account_id
  partition  = local.partition

  # Tasks without a route to the internet cannot pull their image, and while tasks run, the route must stay.
  depends_on = [module.network]
}

module "reader" {
  source = "./modules/reader"

  name                = local.reader_name
  assumable_role_arns = var.assumable_role_arns
  create_access_key   = var.create_access_key

  regions    = local.regions
  account_id = local.account_id
  partition  = local.partition
}

module "mirror" {
  source = "./modules/mirror"
  count  = var.enable_lambda_mirror ? 1 : 0

  name               = "ecs-status-${local.name}"
  zip_path           = var.mirror_zip_path
  environment        = var.mirror_environment
  read_policy        = module.reader.policy
  log_retention_days = var.log_retention_days
  region             = var.region
  account_id         = local.account_id
}

module "events" {
  source = "./modules/events"
  count  = var.enable_events ? 1 : 0

  name       = "ecs-status-${local.name}"
  worker_url = var.worker_url
  token      = var.events_token
  region     = var.region
  account_id = local.account_id
}

# States of the time when there always was a fleet.
moved {
  from = module.network
  to   = module.network[0]
}

moved {
  from = module.fargate
  to   = module.fargate[0]
}
