# What must not become a mirror.

mock_provider "aws" {}

variables {
  name        = "ecs-status-k2tog"
  zip_path    = "./terraform.tf"
  account_id  = "123456789012"
  read_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
}

run "a_name_with_a_dot_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    name = "ecs.status"
  }

  expect_failures = [var.name]
}

run "keys_in_the_environment_are_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { AWS_SECRET_ACCESS_KEY = "x" }
  }

  expect_failures = [var.environment]
}

run "a_region_in_the_environment_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { AWS_REGION = "eu-west-1" }
  }

  expect_failures = [var.environment]
}

run "a_setting_that_does_not_exist_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { LOGLEVEL = "debug" }
  }

  expect_failures = [var.environment]
}

run "a_policy_that_is_no_json_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    read_policy = "allow all"
  }

  expect_failures = [var.read_policy]
}

run "memory_below_128_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    memory_size = 64
  }

  expect_failures = [var.memory_size]
}

run "a_timeout_of_api_gateways_or_longer_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    timeout = 30
  }

  expect_failures = [var.timeout]
}

run "a_timeout_shorter_than_a_sweep_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    timeout = 20
  }

  expect_failures = [var.timeout]
}

run "a_sweep_longer_than_the_timeout_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { SWEEP_TIMEOUT = "60" }
  }

  expect_failures = [var.timeout]
}

run "a_burst_of_none_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    throttling_burst_limit = 0
  }

  expect_failures = [var.throttling_burst_limit]
}

run "a_rate_of_none_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    throttling_rate_limit = 0
  }

  expect_failures = [var.throttling_rate_limit]
}
