# Where events must not go, and with which token.

mock_provider "aws" {}

variables {
  worker_url = "https://ecs-status.example.workers.dev"
  token      = "0123456789abcdef"
  region     = "ap-southeast-2"
  account_id = "123456789012"
}

run "a_worker_without_https_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "http://ecs-status.example.workers.dev"
  }

  expect_failures = [var.worker_url]
}

run "a_worker_with_another_path_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://ecs-status.example.workers.dev/list"
  }

  expect_failures = [var.worker_url]
}

run "a_worker_with_a_query_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://ecs-status.example.workers.dev/events?target=home"
  }

  expect_failures = [var.worker_url]
}

run "a_name_of_a_worker_without_an_address_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "ecs-status"
  }

  expect_failures = [var.worker_url]
}

run "a_worker_with_a_users_name_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://user@ecs-status.example.workers.dev"
  }

  expect_failures = [var.worker_url]
}

run "a_worker_on_a_local_machine_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://localhost:8787"
  }

  expect_failures = [var.worker_url]
}

run "a_token_of_15_characters_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = "0123456789abcde"
  }

  expect_failures = [var.token]
}

run "a_token_too_long_for_eventbridge_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = format("%0506d", 0)
  }

  expect_failures = [var.token]
}

run "a_token_with_a_colon_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = "0123456789:abcdef"
  }

  expect_failures = [var.token]
}

run "a_token_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = "Bearer 0123456789abcdef"
  }

  expect_failures = [var.token]
}

run "a_token_with_a_line_break_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = "0123456789abcdef\n"
  }

  expect_failures = [var.token]
}

run "a_name_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    name = "ecs status"
  }

  expect_failures = [var.name]
}

run "a_name_too_long_for_a_rule_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    name = format("%065d", 0)
  }

  expect_failures = [var.name]
}

run "a_rate_of_none_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    invocation_rate_limit = 0
  }

  expect_failures = [var.invocation_rate_limit]
}

run "a_rate_above_eventbridges_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    invocation_rate_limit = 301
  }

  expect_failures = [var.invocation_rate_limit]
}

run "half_an_event_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    invocation_rate_limit = 0.5
  }

  expect_failures = [var.invocation_rate_limit]
}

run "an_account_that_is_no_account_is_refused" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    account_id = "*"
  }

  expect_failures = [var.account_id]
}
