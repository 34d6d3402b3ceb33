# What must not become a reader.

mock_provider "aws" {}

variables {
  name       = "ecs-status-reader"
  region     = "ap-southeast-2"
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

run "an_account_of_11_digits_is_refused" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    account_id = "12345678901"
  }

  expect_failures = [var.account_id]
}
