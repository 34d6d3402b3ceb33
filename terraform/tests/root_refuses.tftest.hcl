# What the root itself must refuse; the rest is refused by its modules.

mock_provider "aws" {}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["ap-southeast-2a", "ap-southeast-2b", "ap-southeast-2c"] }
}

variables {
  region       = "ap-southeast-2"
  environment  = "frankie"
  owner        = "K2"
  contact      = "k2@example.com"
  cluster_name = "k2tog"
}

run "a_zone_for_a_region_is_refused" {
  command = plan

  variables {
    region = "ap-southeast-2a"
  }

  expect_failures = [var.region]
}

run "an_environment_in_capitals_is_refused" {
  command = plan

  variables {
    environment = "Frankie"
  }

  expect_failures = [var.environment]
}

run "an_empty_owner_is_refused" {
  command = plan

  variables {
    owner = ""
  }

  expect_failures = [var.owner]
}

run "an_owner_that_aws_takes_for_no_tag_is_refused" {
  command = plan

  variables {
    owner = "K2 & friends"
  }

  expect_failures = [var.owner]
}

run "a_contact_that_is_no_address_is_refused" {
  command = plan

  variables {
    contact = "k2"
  }

  expect_failures = [var.contact]
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zone_count = 1
  }

  expect_failures = [var.zone_count]
}

run "half_a_zone_is_refused" {
  command = plan

  variables {
    zone_count = 2.5
  }

  expect_failures = [var.zone_count]
}

run "a_fleet_without_a_cluster_name_is_refused" {
  command = plan

  variables {
    cluster_name = null
  }

  expect_failures = [var.cluster_name]
}

run "events_without_the_workers_address_are_refused" {
  command = plan

  variables {
    enable_events = true
    events_token  = "0123456789abcdef"
  }

  expect_failures = [var.worker_url]
}

run "events_without_a_token_are_refused" {
  command = plan

  variables {
    enable_events = true
    worker_url    = "https://ecs-status.example.workers.dev"
  }

  expect_failures = [var.events_token]
}
