# The root is the only place where modules meet: what one needs of another is handed on here.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

# Zones that every account has; local and wavelength zones would have to be opted into.
data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:Only the first zone_count names in their order are used, so a zone that AWS adds behind them changes nothing.
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

  name    = var.cluster_name
  cidr    = var.vpc_cidr
  zones   = local.zones
  traffic = local.traffic
}

module "fargate" {
  source = "./modules/fargate"

  cluster_name       = var.cluster_name
  container_insights = var.container_insights
  log_retention_days = var.log_retention_days
  services           = var.services

  subnet_ids         = module.network.subnet_ids
  security_group_ids = module.network.security_group_ids

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

  region     = var.region
  account_id = local.account_id
  partition  = local.partition
}

module "mirror" {
  source = "./modules/mirror"
  count  = var.enable_lambda_mirror ? 1 : 0

  name               = "ecs-status-${var.cluster_name}"
  zip_path           = var.mirror_zip_path
  environment        = var.mirror_environment
  read_policy        = module.reader.policy
  log_retention_days = var.log_retention_days
  account_id         = local.account_id
}
