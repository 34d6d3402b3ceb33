data "aws_caller_identity" "current" {}

module "read_policy" {
  source = "../read-policy"

  regions    = [var.region]
  account_id = data.aws_caller_identity.current.account_id
  # No role can be assumed from another partition, so this account's is the reader's.
  partition = split(":", var.reader_arn)[1]
}

resource "aws_iam_role" "this" {
  name                 = coalesce(var.name, "ecs-status-${var.region}")
  description          = "ecs-status reads the ECS services of ${var.region} with this"
  max_session_duration = 3600
  tags                 = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Reader"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = compact([var.reader_arn, var.mirror_role_arn]) }
      Condition = { StringEquals = { "sts:ExternalId" = var.external_id } }
    }]
  })
}

resource "aws_iam_role_policy" "read" {
  name = "ecs-status-read"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = module.read_policy.statements
  })
}
