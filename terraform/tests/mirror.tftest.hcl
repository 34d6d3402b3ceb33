# The mirror as a whole. A mocked provider invents the ids and ARNs that AWS would, so that a test can see who names whom.

mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      execution_arn = "arn:aws:execute-api:ap-southeast-2:123456789012:abcde12345"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = {
      arn = "arn:aws:logs:ap-southeast-2:123456789012:log-group:mocked"
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/mocked"
    }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:ap-southeast-2:123456789012:function:mocked"
      invoke_arn = "arn:aws:apigateway:ap-southeast-2:lambda:path/2015-03-31/functions/arn:aws:lambda:ap-southeast-2:123456789012:function:mocked/invocations"
    }
  }

  mock_resource "aws_apigatewayv2_stage" {
    defaults = {
      invoke_url = "https://abcde12345.execute-api.ap-southeast-2.amazonaws.com/"
    }
  }
}

variables {
  name        = "ecs-status-k2tog"
  zip_path    = "./terraform.tf"
  account_id  = "123456789012"
  region      = "ap-southeast-2"
  read_policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"ecs:ListClusters\"],\"Resource\":[\"*\"]}]}"
  environment = { LOG_LEVEL = "debug" }
}

run "only_this_api_may_invoke_the_function" {
  module {
    source = "./modules/mirror"
  }

  assert {
    condition     = aws_lambda_permission.api.source_arn == "arn:aws:execute-api:ap-southeast-2:123456789012:abcde12345/*/*"
    error_message = "The permission must be scoped to this API's execution ARN."
  }

  assert {
    condition     = aws_lambda_permission.api.principal == "apigateway.amazonaws.com" && aws_lambda_permission.api.action == "lambda:InvokeFunction" && aws_lambda_permission.api.function_name == "ecs-status-k2tog"
    error_message = "The permission must let API Gateway invoke this function."
  }

  assert {
    condition     = aws_apigatewayv2_route.default.route_key == "$default" && aws_apigatewayv2_route.default.target == "integrations/${aws_apigatewayv2_integration.this.id}"
    error_message = "One $default route must take every path to the function."
  }

  assert {
    condition     = aws_apigatewayv2_integration.this.integration_uri == aws_lambda_function.this.invoke_arn && aws_apigatewayv2_integration.this.payload_format_version == "2.0"
    error_message = "The integration must hand events of version 2.0 to the function."
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.default_route_settings[0].throttling_burst_limit == 20 && aws_apigatewayv2_stage.default.default_route_settings[0].throttling_rate_limit == 10
    error_message = "The stage must throttle."
  }

  assert {
    condition     = aws_apigatewayv2_stage.default.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access.arn && jsondecode(aws_apigatewayv2_stage.default.access_log_settings[0].format).status == "$context.status"
    error_message = "The stage must write an access log."
  }

  assert {
    condition     = output.url == "https://abcde12345.execute-api.ap-southeast-2.amazonaws.com"
    error_message = "The URL has no slash at its end, so that /list can be appended."
  }
}

run "the_function_is_built_for_arm_and_may_read_and_log" {
  module {
    source = "./modules/mirror"
  }

  assert {
    condition     = aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["arm64"]) && aws_lambda_function.this.handler == "bootstrap"
    error_message = "The function must run `bootstrap` on provided.al2023, arm64."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ LOG_LEVEL = "debug" })
    error_message = "The environment must arrive as it was given."
  }

  assert {
    condition     = aws_iam_role_policy.read.policy == var.read_policy
    error_message = "The function must have exactly the policy that it was given."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.log.policy).Statement == [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
    }]
    error_message = "The function may write to its own log group, and no other."
  }

  assert {
    condition     = aws_cloudwatch_log_group.function.name == "/aws/lambda/ecs-status-k2tog" && aws_cloudwatch_log_group.function.retention_in_days == 30
    error_message = "The function's log group must be the one that Lambda writes to."
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Only Lambda may assume the role."
  }
}

run "a_zip_that_is_not_built_is_said_with_the_command_that_builds_it" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    zip_path = "./no-such.zip"
  }

  expect_failures = [aws_lambda_function.this]
}

run "the_name_of_the_role_carries_the_region" {
  module {
    source = "./modules/mirror"
  }

  assert {
    condition     = aws_iam_role.this.name == "ecs-status-k2tog-ap-southeast-2" && aws_lambda_function.this.function_name == "ecs-status-k2tog"
    error_message = "A role is the account's, a function the region's: the role alone needs the region in its name."
  }

  assert {
    condition     = output.role_arn == aws_iam_role.this.arn
    error_message = "role_arn must be the role's."
  }
}

run "a_name_too_long_for_a_role_is_shortened" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    name = "ecs-status-a-cluster-with-a-name-of-40-characters-x"
  }

  assert {
    condition     = aws_iam_role.this.name == "ecs-status-a-cluster-with-a-name-of-40-characters-x-ap--${substr(sha1("ecs-status-a-cluster-with-a-name-of-40-characters-x-ap-southeast-2"), 0, 8)}" && length(aws_iam_role.this.name) <= 64
    error_message = "IAM takes 64 characters."
  }
}

run "targets_that_fit_are_taken_whole_or_split" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = {
      LOG_LEVEL = "debug"
      TARGETS   = jsonencode([{ name = "home", region = "ap-southeast-2" }])
      TARGETS_1 = jsonencode([for number in range(10) : {
        name       = "partner-${number}"
        region     = "ap-southeast-2"
        roleArn    = "arn:aws:iam::111122223333:role/ecs-status-ap-southeast-2"
        externalId = "0123456789abcdef0123456789abcdef"
      }])
      TARGETS_2 = jsonencode([for number in range(10) : {
        name       = "partner-${number}"
        region     = "ap-southeast-2"
        roleArn    = "arn:aws:iam::111122223333:role/ecs-status-ap-southeast-2"
        externalId = "0123456789abcdef0123456789abcdef"
      }])
    }
  }

  assert {
    condition     = length(local.targets) == 21 && local.environment_bytes == length(jsonencode(var.environment)) && local.environment_bytes <= 4096
    error_message = "Targets of all variables must be counted, and the environment as Lambda measures it."
  }
}

run "an_environment_of_exactly_4096_bytes_is_taken" {
  command = plan

  module {
    source = "./modules/mirror"
  }

  variables {
    environment = { FILTER_TAGS = format("%04078d", 0) }
  }

  assert {
    condition     = local.environment_bytes == 4096
    error_message = "The limit itself must be taken."
  }
}
