locals {
  # IAM's names are the account's, not the region's, and have at most 64 characters: where a name is longer, its end
  # gives way to eight digits of its hash.
  role_name = (
    length("${var.name}-${var.region}-events") <= 64
    ? "${var.name}-${var.region}-events"
    : format("%.55s-%.8s", "${var.name}-${var.region}-events", sha1("${var.name}-${var.region}-events"))
  )

  # With or without the path, as people copy it from a browser.
  endpoint = "${trimsuffix(trimsuffix(trimsuffix(var.worker_url, "/"), "/events"), "/")}/events"
}

# Only what can change the report of a Fargate service: a task that starts to run or stops, and what the service's
# scheduler and its deployments say. Every event that passes is a request to the Worker.
resource "aws_cloudwatch_event_rule" "this" {
  name        = var.name
  description = "ECS events of Fargate services, for ecs-status"

  event_pattern = jsonencode({
    source = ["aws.ecs"]
    "$or" = [
      { detail-type = ["ECS Deployment State Change"] },
      {
        detail-type = ["ECS Service Action"]
        # Says of a capacity provider what SERVICE_STEADY_STATE says of the service.
        detail = { eventName = [{ anything-but = ["CAPACITY_PROVIDER_STEADY_STATE"] }] }
      },
      {
        detail-type = ["ECS Task State Change"]
        detail = {
          group      = [{ prefix = "service:" }]
          launchType = ["FARGATE"] # Also for FARGATE_SPOT.
          lastStatus = ["RUNNING", "STOPPED"]
        }
      },
    ]
  })
}

# EventBridge keeps the header in a secret of its own, in Secrets Manager.
resource "aws_cloudwatch_event_connection" "this" {
  name               = var.name
  description        = "EVENTS_TOKEN of ecs-status"
  authorization_type = "API_KEY"

  auth_parameters {
    api_key {
      key   = "Authorization"
      value = "Bearer ${var.token}"
    }
  }
}

resource "aws_cloudwatch_event_api_destination" "this" {
  name                             = var.name
  description                      = "POST /events of ecs-status"
  connection_arn                   = aws_cloudwatch_event_connection.this.arn
  invocation_endpoint              = local.endpoint
  http_method                      = "POST"
  invocation_rate_limit_per_second = var.invocation_rate_limit
}

resource "aws_cloudwatch_event_target" "this" {
  rule     = aws_cloudwatch_event_rule.this.name
  arn      = aws_cloudwatch_event_api_destination.this.arn
  role_arn = aws_iam_role.this.arn

  # An event is a hint, and what is older than SNAPSHOT_MAX_AGE is known without it.
  retry_policy {
    maximum_event_age_in_seconds = 300
    maximum_retry_attempts       = 20
  }

  dead_letter_config {
    arn = aws_sqs_queue.undelivered.arn
  }

  # The first event must find both: the right to call the Worker, and a place if that fails.
  depends_on = [
    aws_iam_role_policy.invoke,
    aws_sqs_queue_policy.undelivered,
  ]
}

resource "aws_iam_role" "this" {
  name        = local.role_name
  description = "EventBridge sends ECS events to ecs-status with this"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "events.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.this.arn }
      }
    }]
  })
}

resource "aws_iam_role_policy" "invoke" {
  name = "invoke-worker"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["events:InvokeApiDestination"]
      Resource = [aws_cloudwatch_event_api_destination.this.arn]
    }]
  })
}

# Events that the Worker did not take, each with the status that it answered. Nothing reads them: a wrong token or
# address shows here, and what they told the ordinary sweep has found since.
resource "aws_sqs_queue" "undelivered" {
  name                      = "${var.name}-undelivered"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 86400
}

resource "aws_sqs_queue_policy" "undelivered" {
  queue_url = aws_sqs_queue.undelivered.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sqs:SendMessage"]
      Principal = { Service = "events.amazonaws.com" }
      Resource  = [aws_sqs_queue.undelivered.arn]
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.this.arn } }
    }]
  })
}
