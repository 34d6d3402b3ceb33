# What must not become a part of an ARN.

variables {
  regions    = ["ap-southeast-2"]
  account_id = "123456789012"
}

run "every_region_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    regions = ["*"]
  }

  expect_failures = [var.regions]
}

run "a_zone_for_a_region_to_read_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    regions = ["eu-west-1", "ap-southeast-2a"]
  }

  expect_failures = [var.regions]
}

run "an_account_of_11_digits_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    account_id = "12345678901"
  }

  expect_failures = [var.account_id]
}

run "every_account_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    account_id = "*"
  }

  expect_failures = [var.account_id]
}

run "no_region_to_read_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    regions = []
  }

  expect_failures = [var.regions]
}

run "a_region_to_read_twice_is_refused" {
  command = plan

  module {
    source = "./modules/read-policy"
  }

  variables {
    regions = ["eu-west-1", "eu-west-1"]
  }

  expect_failures = [var.regions]
}
