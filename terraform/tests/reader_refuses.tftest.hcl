# What must not become a reader.

mock_provider "aws" {}

variables {
  name       = "ecs-status-reader"
  regions    = ["ap-southeast-2"]
  account_id = "123456789012"
}

run "a_name_with_a_slash_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    name = "ecs/status"
  }

  expect_failures = [var.name]
}

run "a_role_with_a_wildcard_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:role/*"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "a_user_to_assume_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:user/someone"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "a_whole_account_to_assume_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:root"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "a_role_of_no_account_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:role/ecs-status", "arn:aws:iam::*:role/ecs-status"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "a_role_without_a_name_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::123456789012:role/ecs/"]
  }

  expect_failures = [var.assumable_role_arns]
}

run "more_roles_than_a_users_policy_can_hold_are_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = [for number in range(40) : "arn:aws:iam::123456789012:role/ecs-status-${number}"]
  }

  expect_failures = [aws_iam_user_policy.this]
}

run "more_regions_than_a_users_policy_can_hold_are_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    regions = [for number in range(10, 21) : "ap-southeast-${number}"]
  }

  expect_failures = [aws_iam_user_policy.this]
}
