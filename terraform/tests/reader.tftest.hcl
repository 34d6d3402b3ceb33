# The reader's policy is the promise that the Worker can read and do nothing else.

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

variables {
  name       = "ecs-status-reader"
  regions    = ["ap-southeast-2"]
  account_id = "123456789012"
}

run "the_policy_is_exactly_four_read_actions" {
  command = plan

  module {
    source = "./modules/reader"
  }

  assert {
    condition = jsondecode(aws_iam_user_policy.this.policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ListClusters"
          Effect   = "Allow"
          Action   = ["ecs:ListClusters"]
          Resource = ["*"]
        },
        {
          Sid       = "ListServices"
          Effect    = "Allow"
          Action    = ["ecs:ListServices"]
          Resource  = ["*"]
          Condition = { ArnLike = { "ecs:cluster" = ["arn:aws:ecs:ap-southeast-2:123456789012:cluster/*"] } }
        },
        {
          Sid      = "DescribeClusters"
          Effect   = "Allow"
          Action   = ["ecs:DescribeClusters"]
          Resource = ["arn:aws:ecs:ap-southeast-2:123456789012:cluster/*"]
        },
        {
          Sid      = "DescribeServices"
          Effect   = "Allow"
          Action   = ["ecs:DescribeServices"]
          Resource = ["arn:aws:ecs:ap-southeast-2:123456789012:service/*"]
        },
      ]
    }
    error_message = "The reader's policy is no longer exactly what the Worker needs."
  }

  assert {
    condition     = jsondecode(output.policy) == jsondecode(aws_iam_user_policy.this.policy)
    error_message = "The output must be the policy that the user has."
  }

  assert {
    condition     = length(aws_iam_access_key.this) == 0
    error_message = "There must be no access key unless asked for."
  }

  assert {
    condition     = output.access_key_id == null && nonsensitive(output.secret_access_key) == null
    error_message = "Without an access key both outputs must be null."
  }

  assert {
    condition     = aws_iam_user.this.tags_all == tomap({ environment = "frankie", owner = "K2", contact = "k2@example.com" })
    error_message = "The user must carry the three tags."
  }

  assert {
    condition     = aws_iam_user.this.force_destroy
    error_message = "A key that `make secrets` made must not keep the user from being destroyed."
  }
}

run "roles_to_assume_add_one_statement_with_exactly_them" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = ["arn:aws:iam::111122223333:role/ecs-status", "arn:aws:iam::123456789012:role/ecs/status"]
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_user_policy.this.policy).Statement : statement if statement.Sid == "AssumeRoles"] == [{
      Sid      = "AssumeRoles"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole"]
      Resource = ["arn:aws:iam::111122223333:role/ecs-status", "arn:aws:iam::123456789012:role/ecs/status"]
    }]
    error_message = "sts:AssumeRole must be allowed on exactly the roles that were named."
  }

  assert {
    condition     = length(jsondecode(aws_iam_user_policy.this.policy).Statement) == 5
    error_message = "Nothing else may be added to the policy."
  }
}

run "twenty_roles_fit_into_a_users_policy" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    assumable_role_arns = [for number in range(20) : "arn:aws:iam::111122223333:role/ecs-status-${number}"]
  }

  assert {
    condition     = length(jsondecode(aws_iam_user_policy.this.policy).Statement[4].Resource) == 20
    error_message = "Each of the roles must stand in the policy."
  }
}

run "another_partition_has_other_arns" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    regions   = ["cn-north-1"]
    partition = "aws-cn"
  }

  assert {
    condition = flatten([for statement in jsondecode(output.policy).Statement : statement.Resource]) == [
      "*", "*", "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/*", "arn:aws-cn:ecs:cn-north-1:123456789012:service/*",
    ]
    error_message = "The ARNs must be of the partition and the region."
  }
}

run "a_key_is_made_when_asked_for" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    create_access_key = true
  }

  assert {
    condition     = length(aws_iam_access_key.this) == 1 && aws_iam_access_key.this[0].user == "ecs-status-reader"
    error_message = "create_access_key must make one key, of the reader."
  }
}

run "each_region_is_readable_and_no_other" {
  command = plan

  module {
    source = "./modules/reader"
  }

  variables {
    regions = ["ap-southeast-2", "eu-west-1"]
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_user_policy.this.policy).Statement : statement.Sid => statement.Resource } == {
      ListClusters     = ["*"]
      ListServices     = ["*"]
      DescribeClusters = ["arn:aws:ecs:ap-southeast-2:123456789012:cluster/*", "arn:aws:ecs:eu-west-1:123456789012:cluster/*"]
      DescribeServices = ["arn:aws:ecs:ap-southeast-2:123456789012:service/*", "arn:aws:ecs:eu-west-1:123456789012:service/*"]
    }
    error_message = "Clusters and services of exactly these regions may be described."
  }

  assert {
    condition = jsondecode(aws_iam_user_policy.this.policy).Statement[1].Condition.ArnLike["ecs:cluster"] == [
      "arn:aws:ecs:ap-southeast-2:123456789012:cluster/*", "arn:aws:ecs:eu-west-1:123456789012:cluster/*",
    ]
    error_message = "Services of exactly these regions may be listed."
  }
}
