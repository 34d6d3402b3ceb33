# What must not become a mirror.

mock_provider "aws" {}

variables {
  name        = "ecs-status-k2tog"
  zip_path    = "./terraform.tf"
  account_id  = "123456789012"
  region      = "ap-southeast-2"
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

run "targets_zero_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { TARGETS_0 = "[]" }
  }

  expect_failures = [var.environment]
}

run "an_environment_of_4097_bytes_is_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { FILTER_TAGS = format("%04079d", 0) }
  }

  expect_failures = [aws_lambda_function.this]
}

run "letters_of_two_bytes_count_twice" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { FILTER_TAGS = replace(format("%02040d", 0), "0", "ü") }
  }

  expect_failures = [aws_lambda_function.this]
}

run "forty_five_targets_of_other_accounts_are_refused" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = {
      TARGETS = jsonencode([for number in range(45) : {
        name       = "partner-${number}"
        region     = "ap-southeast-2"
        roleArn    = "arn:aws:iam::111122223333:role/ecs-status-ap-southeast-2"
        externalId = "0123456789abcdef0123456789abcdef"
      }])
    }
  }

  expect_failures = [aws_lambda_function.this]
}

run "forty_five_targets_are_refused_although_they_are_split" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = {
      TARGETS_1 = jsonencode([for number in range(20) : {
        name       = "partner-${number}"
        region     = "ap-southeast-2"
        roleArn    = "arn:aws:iam::111122223333:role/ecs-status-ap-southeast-2"
        externalId = "0123456789abcdef0123456789abcdef"
      }])
      TARGETS_2 = jsonencode([for number in range(25) : {
        name       = "partner-${number}"
        region     = "ap-southeast-2"
        roleArn    = "arn:aws:iam::111122223333:role/ecs-status-ap-southeast-2"
        externalId = "0123456789abcdef0123456789abcdef"
      }])
    }
  }

  expect_failures = [aws_lambda_function.this]
}
