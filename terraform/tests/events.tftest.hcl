# Events: which ones pass, where they go with which header, and who may send them.

# The real provider, which renders the real policies, but asks AWS nothing.
provider "aws" {
  region                      = "ap-southeast-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true
}

override_resource {
  target          = aws_cloudwatch_event_rule.this
  override_during = plan
  values          = { arn = "arn:aws:events:ap-southeast-2:123456789012:rule/ecs-status-k2tog" }
}

override_resource {
  target          = aws_cloudwatch_event_connection.this
  override_during = plan
  values          = { arn = "arn:aws:events:ap-southeast-2:123456789012:connection/ecs-status-k2tog/c0" }
}

override_resource {
  target          = aws_cloudwatch_event_api_destination.this
  override_during = plan
  values          = { arn = "arn:aws:events:ap-southeast-2:123456789012:api-destination/ecs-status-k2tog/d0" }
}

override_resource {
  target          = aws_iam_role.this
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/mocked" }
}

override_resource {
  target          = aws_sqs_queue.undelivered
  override_during = plan
  values = {
    arn = "arn:aws:sqs:ap-southeast-2:123456789012:ecs-status-k2tog-undelivered"
    id  = "https://sqs.ap-southeast-2.amazonaws.com/123456789012/ecs-status-k2tog-undelivered"
  }
}

variables {
  name       = "ecs-status-k2tog"
  worker_url = "https://ecs-status.example.workers.dev"
  token      = "0123456789abcdef"
  region     = "ap-southeast-2"
  account_id = "123456789012"
}

run "only_what_can_change_the_report_of_a_fargate_service_passes" {
  command = plan

  module {
    source = "./modules/events"
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this.event_pattern) == {
      source = ["aws.ecs"]
      "$or" = [
        { detail-type = ["ECS Deployment State Change"] },
        {
          detail-type = ["ECS Service Action"]
          detail      = { eventName = [{ anything-but = ["CAPACITY_PROVIDER_STEADY_STATE"] }] }
        },
        {
          detail-type = ["ECS Task State Change"]
          detail = {
            group      = [{ prefix = "service:" }]
            launchType = ["FARGATE"]
            lastStatus = ["RUNNING", "STOPPED"]
          }
        },
      ]
    }
    error_message = "The rule must pass these events and no others."
  }
}

run "an_event_is_posted_to_the_worker_with_the_token" {
  command = plan

  module {
    source = "./modules/events"
  }

  assert {
    condition     = aws_cloudwatch_event_api_destination.this.invocation_endpoint == "https://ecs-status.example.workers.dev/events" && aws_cloudwatch_event_api_destination.this.http_method == "POST"
    error_message = "Events must be sent by POST /events."
  }

  assert {
    condition     = aws_cloudwatch_event_api_destination.this.invocation_rate_limit_per_second == 300
    error_message = "EventBridge may send as fast as it does by itself."
  }

  assert {
    condition = (
      aws_cloudwatch_event_connection.this.authorization_type == "API_KEY" &&
      aws_cloudwatch_event_connection.this.auth_parameters[0].api_key[0].key == "Authorization" &&
      nonsensitive(aws_cloudwatch_event_connection.this.auth_parameters[0].api_key[0].value) == "Bearer 0123456789abcdef"
    )
    error_message = "The header must be the bearer token that the Worker compares."
  }

  assert {
    condition = (
      aws_cloudwatch_event_api_destination.this.connection_arn == aws_cloudwatch_event_connection.this.arn &&
      aws_cloudwatch_event_target.this.rule == aws_cloudwatch_event_rule.this.name &&
      aws_cloudwatch_event_target.this.arn == aws_cloudwatch_event_api_destination.this.arn &&
      aws_cloudwatch_event_target.this.role_arn == aws_iam_role.this.arn
    )
    error_message = "Rule, target, role, destination and connection must be those made here."
  }
}

run "retries_end_when_the_ordinary_sweep_knows_and_the_rest_is_kept" {
  command = plan

  module {
    source = "./modules/events"
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.retry_policy[0].maximum_event_age_in_seconds == 300 && aws_cloudwatch_event_target.this.retry_policy[0].maximum_retry_attempts == 20
    error_message = "Both members of the retry policy must be set: what is left out becomes 24 hours and 185 attempts."
  }

  assert {
    condition     = aws_cloudwatch_event_target.this.dead_letter_config[0].arn == aws_sqs_queue.undelivered.arn
    error_message = "What the Worker does not take must go to the queue."
  }

  assert {
    condition     = aws_sqs_queue.undelivered.sqs_managed_sse_enabled && aws_sqs_queue.undelivered.message_retention_seconds == 86400
    error_message = "The queue must be encrypted, and forget after a day."
  }

  assert {
    condition = jsondecode(aws_sqs_queue_policy.undelivered.policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = ["sqs:SendMessage"]
        Principal = { Service = "events.amazonaws.com" }
        Resource  = ["arn:aws:sqs:ap-southeast-2:123456789012:ecs-status-k2tog-undelivered"]
        Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:events:ap-southeast-2:123456789012:rule/ecs-status-k2tog" } }
      }]
    }
    error_message = "Only this rule may write to the queue."
  }
}

run "the_role_may_call_this_destination_and_is_this_rules_alone" {
  command = plan

  module {
    source = "./modules/events"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.invoke.policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect   = "Allow"
        Action   = ["events:InvokeApiDestination"]
        Resource = ["arn:aws:events:ap-southeast-2:123456789012:api-destination/ecs-status-k2tog/d0"]
      }]
    }
    error_message = "The role must have one right, to one destination."
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "events.amazonaws.com" }
        Condition = {
          StringEquals = { "aws:SourceAccount" = "123456789012" }
          ArnEquals    = { "aws:SourceArn" = "arn:aws:events:ap-southeast-2:123456789012:rule/ecs-status-k2tog" }
        }
      }]
    }
    error_message = "The trust policy must name this account's rule, and nothing else."
  }

  assert {
    condition     = aws_iam_role.this.name == "ecs-status-k2tog-ap-southeast-2-events"
    error_message = "The name must carry the region, and differ from the mirror's."
  }
}

run "an_address_that_ends_with_the_path_is_taken" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://status.example.com:8443/events"
  }

  assert {
    condition     = output.endpoint == "https://status.example.com:8443/events"
    error_message = "The path must be there once."
  }
}

run "an_address_that_ends_with_a_slash_is_taken" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    worker_url = "https://status.example.com/"
  }

  assert {
    condition     = output.endpoint == "https://status.example.com/events"
    error_message = "There must be one slash."
  }
}

run "the_longest_token_is_taken" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    token = format("%0505d", 0)
  }

  assert {
    condition     = length(nonsensitive(aws_cloudwatch_event_connection.this.auth_parameters[0].api_key[0].value)) == 512
    error_message = "EventBridge takes 512 characters."
  }
}

run "a_role_name_too_long_for_iam_is_shortened" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    name = "ecs-status-a-cluster-with-a-name-of-40-characters-x"
  }

  assert {
    condition     = length(aws_iam_role.this.name) == 64 && startswith(aws_iam_role.this.name, "ecs-status-a-cluster-with-a-name-of-40-characters-x-")
    error_message = "IAM takes 64 characters."
  }
}

run "the_outputs_say_what_to_do_next" {
  command = plan

  module {
    source = "./modules/events"
  }

  assert {
    condition     = output.next_command == "npx wrangler secret put EVENTS_TOKEN"
    error_message = "The next command must give the Worker the token."
  }

  assert {
    condition     = output.undelivered_queue_url == "https://sqs.ap-southeast-2.amazonaws.com/123456789012/ecs-status-k2tog-undelivered"
    error_message = "undelivered_queue_url must be the queue's."
  }
}
