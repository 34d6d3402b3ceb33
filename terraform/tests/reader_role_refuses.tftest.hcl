# What must not become a role on the other side.

mock_provider "aws" {}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "111122223333" }
}

variables {
  target_name = "partner"
  region      = "eu-west-1"
  reader_arn  = "arn:aws:iam::123456789012:user/ecs-status-reader"
  external_id = "an-external-id"
}

run "a_whole_account_for_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    reader_arn = "arn:aws:iam::123456789012:root"
  }

  expect_failures = [var.reader_arn]
}

run "an_accounts_number_for_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    reader_arn = "123456789012"
  }

  expect_failures = [var.reader_arn]
}

run "everybody_for_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    reader_arn = "*"
  }

  expect_failures = [var.reader_arn]
}

run "every_user_for_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    reader_arn = "arn:aws:iam::123456789012:user/*"
  }

  expect_failures = [var.reader_arn]
}

run "a_role_for_a_reader_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    reader_arn = "arn:aws:iam::123456789012:role/ecs-status"
  }

  expect_failures = [var.reader_arn]
}

run "an_external_id_of_one_character_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = "x"
  }

  expect_failures = [var.external_id]
}

run "an_external_id_of_1225_characters_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = format("%01225d", 0)
  }

  expect_failures = [var.external_id]
}

run "an_external_id_with_a_space_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = "an external id"
  }

  expect_failures = [var.external_id]
}

run "an_external_id_with_an_umlaut_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = "schlüssel"
  }

  expect_failures = [var.external_id]
}

run "an_external_id_with_a_line_break_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = "an-external-id\n"
  }

  expect_failures = [var.external_id]
}

run "any_external_id_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = "*"
  }

  expect_failures = [var.external_id]
}

run "an_empty_external_id_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = ""
  }

  expect_failures = [var.external_id]
}

run "a_roles_name_with_a_slash_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    name = "ecs/status"
  }

  expect_failures = [var.name]
}

run "an_empty_target_name_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    target_name = ""
  }

  expect_failures = [var.target_name]
}

run "a_target_name_of_65_characters_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    target_name = format("%065d", 0)
  }

  expect_failures = [var.target_name]
}

run "a_target_name_with_a_line_break_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    target_name = "part\nner"
  }

  expect_failures = [var.target_name]
}

run "a_target_name_that_toml_would_change_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    target_name = "the \"partner\""
  }

  expect_failures = [var.target_name]
}

run "a_user_for_a_mirror_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    mirror_role_arn = "arn:aws:iam::123456789012:user/ecs-status"
  }

  expect_failures = [var.mirror_role_arn]
}

run "every_role_for_a_mirror_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    mirror_role_arn = "arn:aws:iam::123456789012:role/*"
  }

  expect_failures = [var.mirror_role_arn]
}

run "a_whole_account_for_a_mirror_is_refused" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    mirror_role_arn = "arn:aws:iam::123456789012:root"
  }

  expect_failures = [var.mirror_role_arn]
}
