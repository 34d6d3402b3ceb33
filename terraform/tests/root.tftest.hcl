# The root: what it hands to the modules, and what it answers.

# The real provider, which renders the real policies and default tags, but asks AWS nothing.
provider "aws" {
  region                      = "ap-southeast-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  default_tags {
    tags = {
      environment = "frankie"
      owner       = "K2"
      contact     = "k2@example.com"
    }
  }
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["ap-southeast-2c", "ap-southeast-2a", "ap-southeast-2b"] }
}

variables {
  region       = "ap-southeast-2"
  environment  = "frankie"
  owner        = "K2"
  contact      = "k2@example.com"
  cluster_name = "k2tog"
}

run "by_default_there_is_no_mirror_and_no_key" {
  command = plan

  assert {
    condition     = length(module.mirror) == 0 && output.mirror_url == null
    error_message = "The mirror must be off by default, and leave no resource."
  }

  assert {
    condition     = nonsensitive(output.worker_secrets) == null
    error_message = "No access key may be made by default."
  }

  assert {
    condition     = output.next_command == "make secrets"
    error_message = "The next command must be the one that makes a key without leaving it on a disk."
  }

  assert {
    condition     = output.cluster_names == ["k2tog"] && output.reader_name == "ecs-status-reader-k2tog-ap-southeast-2"
    error_message = "The names must follow from the cluster's."
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(output.reader_policy).Statement : statement.Action])) == toset(["ecs:ListClusters", "ecs:DescribeClusters", "ecs:ListServices", "ecs:DescribeServices"])
    error_message = "The reader must have the four read actions."
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(output.reader_policy).Statement : statement.Resource])) == toset(["*", "arn:aws:ecs:ap-southeast-2:123456789012:cluster/*", "arn:aws:ecs:ap-southeast-2:123456789012:service/*"])
    error_message = "The reader must be scoped to this account and region."
  }

  assert {
    condition     = local.zones == tolist(["ap-southeast-2a", "ap-southeast-2b"])
    error_message = "The first zones by name are used, in whatever order AWS lists them."
  }
}

run "the_mirror_comes_when_it_is_asked_for" {
  command = plan

  variables {
    enable_lambda_mirror = true
    mirror_zip_path      = "./terraform.tf"
  }

  assert {
    condition     = length(module.mirror) == 1 && module.mirror[0].function_name == "ecs-status-k2tog"
    error_message = "enable_lambda_mirror must bring the mirror."
  }
}

run "a_key_that_is_asked_for_changes_the_next_command" {
  command = plan

  variables {
    create_access_key = true
  }

  assert {
    condition     = strcontains(output.next_command, "output -json worker_secrets | npx wrangler secret bulk")
    error_message = "The next command must hand the key on without showing it."
  }
}

run "roles_of_other_accounts_may_be_assumed_by_the_reader_if_they_are_named" {
  command = plan

  variables {
    assumable_role_arns = ["arn:aws:iam::111122223333:role/ecs-status"]
  }

  assert {
    condition = [for statement in jsondecode(output.reader_policy).Statement : statement.Resource if contains(statement.Action, "sts:AssumeRole")] == [
      ["arn:aws:iam::111122223333:role/ecs-status"],
    ]
    error_message = "The reader must be able to assume exactly the roles that are named."
  }
}

run "more_zones_than_the_region_has_are_refused" {
  command = plan

  variables {
    zone_count = 4
  }

  expect_failures = [data.aws_availability_zones.available]
}

run "without_a_fleet_there_is_the_reader_alone" {
  command = plan

  variables {
    create_fleet = false
    cluster_name = null
  }

  assert {
    condition     = length(module.network) == 0 && length(module.fargate) == 0 && length(module.mirror) == 0 && length(data.aws_availability_zones.available) == 0
    error_message = "There must be no VPC, no cluster and no service, and no question about zones."
  }

  assert {
    condition     = output.cluster_names == [] && output.task_role_names == {}
    error_message = "There must be no names of what is not made."
  }

  assert {
    condition     = output.reader_name == "ecs-status-reader-frankie-ap-southeast-2" && output.next_command == "make secrets"
    error_message = "Without a cluster the names contain the environment."
  }
}

run "without_a_fleet_the_mirror_comes_when_it_is_asked_for" {
  command = plan

  variables {
    create_fleet         = false
    cluster_name         = null
    enable_lambda_mirror = true
    mirror_zip_path      = "./terraform.tf"
  }

  assert {
    condition     = length(module.mirror) == 1 && module.mirror[0].function_name == "ecs-status-frankie" && length(module.fargate) == 0
    error_message = "The mirror needs no fleet of this configuration."
  }
}

run "the_reader_reads_several_regions_of_the_account" {
  command = plan

  variables {
    reader_regions = ["eu-west-1", "ap-southeast-2"]
  }

  assert {
    condition     = toset(flatten([for statement in jsondecode(output.reader_policy).Statement : statement.Resource])) == toset(["*", "arn:aws:ecs:ap-southeast-2:123456789012:cluster/*", "arn:aws:ecs:ap-southeast-2:123456789012:service/*", "arn:aws:ecs:eu-west-1:123456789012:cluster/*", "arn:aws:ecs:eu-west-1:123456789012:service/*"])
    error_message = "The reader must read its own region and those that are named."
  }

  assert {
    condition     = jsondecode(output.targets) == [{ name = "ap-southeast-2", region = "ap-southeast-2" }, { name = "eu-west-1", region = "eu-west-1" }]
    error_message = "The targets must be those regions, each once."
  }
}

run "a_reader_name_too_long_for_iam_is_shortened" {
  command = plan

  variables {
    cluster_name = "a-cluster-with-a-name-of-40-characters-x"
  }

  assert {
    condition     = output.reader_name == "ecs-status-reader-a-cluster-with-a-name-of-40-character-${substr(sha1("ecs-status-reader-a-cluster-with-a-name-of-40-characters-x-ap-southeast-2"), 0, 8)}" && length(output.reader_name) == 64
    error_message = "IAM takes 64 characters."
  }
}

run "by_default_there_are_no_events" {
  command = plan

  assert {
    condition     = length(module.events) == 0 && output.events_next_command == null && output.events_undelivered_queue_url == null
    error_message = "Events must be off by default, and leave no resource."
  }
}

run "events_come_when_they_are_asked_for" {
  command = plan

  variables {
    enable_events = true
    worker_url    = "https://ecs-status.example.workers.dev"
    events_token  = "0123456789abcdef"
  }

  assert {
    condition     = length(module.events) == 1 && module.events[0].endpoint == "https://ecs-status.example.workers.dev/events"
    error_message = "enable_events must bring the events."
  }

  assert {
    condition     = output.events_next_command == "npx wrangler secret put EVENTS_TOKEN" && output.next_command == "make secrets"
    error_message = "The next commands must be those of the token and of the keys."
  }
}

run "events_come_beside_a_fleet_that_exists" {
  command = plan

  variables {
    create_fleet  = false
    cluster_name  = null
    enable_events = true
    worker_url    = "https://ecs-status.example.workers.dev/events"
    events_token  = "0123456789abcdef"
  }

  assert {
    condition     = length(module.events) == 1 && length(module.fargate) == 0
    error_message = "Events need no fleet of this configuration."
  }
}
