locals {
  # README.md, "Configuration", without what Lambda sets itself (region, keys).
  settings = [
    "AWS_ENDPOINT_URL_ECS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "CALL_BURST",
    "CALL_RATE",
    "CORS_ORIGIN",
    "EXPOSE_DEPLOYMENTS",
    "EXPOSE_TAGS",
    "FILTER_TAGS",
    "FRESH_WAIT",
    "LIST_TOKEN",
    "LOG_LEVEL",
    "SNAPSHOT_MAX_AGE",
    "SNAPSHOT_MAX_STALE",
    "SNAPSHOT_MAX_STALE_IF_ERROR",
    "STUCK_AFTER",
    "SUBREQUEST_BUDGET",
    "SWEEP_TIMEOUT",
    "TARGETS",
  ]

  # IAM's names are the account's, not the region's, and have at most 64 characters: where a name is longer, its end
  # gives way to eight digits of its hash.
  role_name = (
    length("${var.name}-${var.region}") <= 64
    ? "${var.name}-${var.region}"
    : format("%.55s-%.8s", "${var.name}-${var.region}", sha1("${var.name}-${var.region}"))
  )

  # Lambda measures the environment as JSON in UTF-8, where every quotation mark of TARGETS has a backslash before it.
  environment_limit = 4096
  environment_bytes = floor(length(trim(base64encode(jsonencode(var.environment)), "=")) * 3 / 4)

  # How many of the targets fit, in their order.
  without_targets = { for name, value in var.environment : name => value if !can(regex(local.targets_name, name)) }
  targets_name    = "^TARGETS(_[1-9][0-9]*)?$"
  targets = flatten([
    for name, value in var.environment : try([for target in jsondecode(value) : jsonencode(target)], [])
    if can(regex(local.targets_name, name))
  ])
  targets_that_fit = length([
    for count in range(1, length(local.targets) + 1) : count
    if floor(length(trim(base64encode(jsonencode(merge(local.without_targets, {
      TARGETS = "[${join(",", slice(local.targets, 0, count))}]"
    }))), "=")) * 3 / 4) <= local.environment_limit
  ])
}

# Before the function, which would otherwise create it itself, without tags and for ever.
resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts at rest with its own key; a customer's key costs a dollar a month for each environment.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the variable log_retention_days; a year is production's choice.
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name        = local.role_name
  description = "The ecs-status mirror reads ECS with this"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "read" {
  name   = "ecs-status-read"
  role   = aws_iam_role.this.id
  policy = var.read_policy
}

# Not the managed AWSLambdaBasicExecutionRole, which may write to every log group of the account.
resource "aws_iam_role_policy" "log" {
  name = "write-own-log"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
    }]
  })
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:Reserved concurrency is taken from an account's quota, which in a new account is 10 and leaves none to take; the stage's throttling bounds the load.
  #checkov:skip=CKV_AWS_116:A dead letter queue is for asynchronous invocations; API Gateway waits for the answer.
  #checkov:skip=CKV_AWS_117:It calls nothing but ECS's public endpoint; in a VPC it would need a NAT gateway to do so.
  #checkov:skip=CKV_AWS_173:Its environment holds no secret but, if set, LIST_TOKEN; Lambda encrypts it at rest with its own key.
  #checkov:skip=CKV_AWS_272:Code signing needs an S3 bucket and a signing job; the zip is built and uploaded by the same hands, and its hash is in the plan.
  #checkov:skip=CKV_AWS_50:X-Ray would show one call of API Gateway; ecs-status logs each call to AWS with its time.
  function_name = var.name
  description   = "ecs-status: which ECS Fargate services are running"
  role          = aws_iam_role.this.arn

  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  filename         = var.zip_path
  source_code_hash = fileexists(var.zip_path) ? filebase64sha256(var.zip_path) : null
  memory_size      = var.memory_size
  timeout          = var.timeout

  dynamic "environment" {
    for_each = length(var.environment) > 0 ? [var.environment] : []

    content {
      variables = environment.value
    }
  }

  # Its first request must find both: the log, and the right to read.
  depends_on = [
    aws_cloudwatch_log_group.function,
    aws_iam_role_policy.log,
    aws_iam_role_policy.read,
  ]

  lifecycle {
    precondition {
      condition     = fileexists(var.zip_path)
      error_message = "There is no ${var.zip_path}: run `make mirror` in the repository's root, which builds it."
    }

    # AWS Lambda Developer Guide, "Lambda quotas": all variables together.
    precondition {
      condition = local.environment_bytes <= local.environment_limit
      error_message = join(" ", compact([
        "Lambda takes ${local.environment_limit} bytes for all environment variables together, as JSON, and these have ${local.environment_bytes}.",
        length(local.targets) == 0 ? "" : "Of the ${length(local.targets)} targets, ${local.targets_that_fit} fit: shorten names and external ids, or report the others from the Worker or from a second mirror. TARGETS_1, TARGETS_2 and so on count together here.",
      ]))
    }
  }
}
