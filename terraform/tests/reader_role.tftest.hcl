# The role on the other side: it reads what the reader reads, and nobody but the reader gets it.

# The real provider, which renders the real policies and default tags, but asks AWS nothing.
provider "aws" {
  region                      = "eu-west-1"
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
  values = { account_id = "111122223333" }
}

variables {
  target_name = "partner"
  region      = "eu-west-1"
  reader_arn  = "arn:aws:iam::123456789012:user/ecs-status-reader"
  external_id = "an-external-id"
}

run "the_role_may_make_exactly_the_four_reads_in_its_own_account" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.read.policy) == {
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
          Condition = { ArnLike = { "ecs:cluster" = ["arn:aws:ecs:eu-west-1:111122223333:cluster/*"] } }
        },
        {
          Sid      = "DescribeClusters"
          Effect   = "Allow"
          Action   = ["ecs:DescribeClusters"]
          Resource = ["arn:aws:ecs:eu-west-1:111122223333:cluster/*"]
        },
        {
          Sid      = "DescribeServices"
          Effect   = "Allow"
          Action   = ["ecs:DescribeServices"]
          Resource = ["arn:aws:ecs:eu-west-1:111122223333:service/*"]
        },
      ]
    }
    error_message = "The role's policy is no longer exactly what the Worker needs, in this account and region."
  }
}

run "the_role_trusts_the_reader_alone_and_only_with_the_external_id" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "Reader"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = ["arn:aws:iam::123456789012:user/ecs-status-reader"] }
        Condition = { StringEquals = { "sts:ExternalId" = "an-external-id" } }
      }]
    }
    error_message = "The trust policy must name the reader's ARN and the external id, and nothing else."
  }

  assert {
    condition     = aws_iam_role.this.max_session_duration == 3600
    error_message = "A session may last an hour at most."
  }

  assert {
    condition     = aws_iam_role.this.name == "ecs-status-eu-west-1"
    error_message = "The name carries the region: the role for another region of the account must get another name."
  }
}

run "its_own_tags_are_added_to_the_default_ones" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    tags = { purpose = "ecs-status" }
  }

  assert {
    condition     = aws_iam_role.this.tags_all == tomap({ environment = "frankie", owner = "K2", contact = "k2@example.com", purpose = "ecs-status" })
    error_message = "The role must carry both the provider's tags and its own."
  }
}

run "the_outputs_are_what_the_other_side_needs" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  override_resource {
    target          = aws_iam_role.this
    override_during = plan
    values          = { arn = "arn:aws:iam::111122223333:role/ecs-status" }
  }

  assert {
    condition     = output.role_arn == "arn:aws:iam::111122223333:role/ecs-status"
    error_message = "role_arn must be the role's."
  }

  assert {
    condition = jsondecode(output.target) == {
      name       = "partner"
      region     = "eu-west-1"
      roleArn    = "arn:aws:iam::111122223333:role/ecs-status"
      externalId = "an-external-id"
    }
    error_message = "target must be a whole element of TARGETS."
  }
}

run "another_partition_is_the_readers" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    region     = "us-gov-west-1"
    reader_arn = "arn:aws-us-gov:iam::123456789012:user/ecs/status/reader"
  }

  assert {
    condition = flatten([for statement in jsondecode(aws_iam_role_policy.read.policy).Statement : statement.Resource]) == [
      "*", "*", "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:cluster/*", "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:service/*",
    ]
    error_message = "The ARNs must be of the reader's partition and the role's account and region."
  }
}

run "every_character_that_sts_takes_is_taken" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = join("", [for number in range(12) : "aZ09_+=,.@:/-"])
    target_name = "Ümläut / other & <b>"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"] == join("", [for number in range(12) : "aZ09_+=,.@:/-"])
    error_message = "The external id must stand in the trust policy as it was given."
  }
}

run "the_longest_external_id_is_taken" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    external_id = format("%01224d", 0)
  }

  assert {
    condition     = length(jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["sts:ExternalId"]) == 1224
    error_message = "1224 characters must be taken."
  }
}

run "the_mirrors_role_is_trusted_as_well_if_it_is_named" {
  command = plan

  module {
    source = "./modules/reader-role"
  }

  variables {
    mirror_role_arn = "arn:aws:iam::123456789012:role/ecs-status-k2tog-ap-southeast-2"
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Sid       = "Reader"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = ["arn:aws:iam::123456789012:user/ecs-status-reader", "arn:aws:iam::123456789012:role/ecs-status-k2tog-ap-southeast-2"] }
      Condition = { StringEquals = { "sts:ExternalId" = "an-external-id" } }
    }]
    error_message = "The reader and the mirror may assume the role, both with the external id only."
  }
}
