locals {
  arn_prefix = "arn:${var.partition}:ecs:${var.region}:${var.account_id}"

  # What each action can be limited by is in the Service Authorization Reference, "Actions, resources, and
  # condition keys for Amazon Elastic Container Service".
  statements = [
    {
      Sid       = "ListClusters"
      Effect    = "Allow"
      Action    = ["ecs:ListClusters"]
      Resource  = ["*"]
      Condition = {}
    },
    {
      # It has no resource type, only the condition key: an ARN as its resource would refuse every call.
      Sid       = "ListServices"
      Effect    = "Allow"
      Action    = ["ecs:ListServices"]
      Resource  = ["*"]
      Condition = { ArnLike = { "ecs:cluster" = "${local.arn_prefix}:cluster/*" } }
    },
    {
      Sid       = "DescribeClusters"
      Effect    = "Allow"
      Action    = ["ecs:DescribeClusters"]
      Resource  = ["${local.arn_prefix}:cluster/*"]
      Condition = {}
    },
    {
      Sid       = "DescribeServices"
      Effect    = "Allow"
      Action    = ["ecs:DescribeServices"]
      Resource  = ["${local.arn_prefix}:service/*"]
      Condition = {}
    },
    {
      Sid       = "AssumeRoles"
      Effect    = "Allow"
      Action    = ["sts:AssumeRole"]
      Resource  = var.assumable_role_arns
      Condition = {}
    },
  ]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.statements :
      { for member, value in statement : member => value if member != "Condition" || length(value) > 0 }
      if length(statement.Resource) > 0
    ]
  })
}

resource "aws_iam_user" "this" {
  #checkov:skip=CKV_AWS_273:A Worker on Cloudflare has no identity that AWS knows, so it needs keys of a user; single sign-on is for people.
  name = var.name

  # `make secrets` creates access keys outside of Terraform, which would otherwise keep destroy from deleting the user.
  force_destroy = true
}

resource "aws_iam_user_policy" "this" {
  #checkov:skip=CKV_AWS_40:A group for one user that nobody else may join would only hide what this user may do.
  name   = "ecs-status-read"
  user   = aws_iam_user.this.name
  policy = local.policy
}

resource "aws_iam_access_key" "this" {
  count = var.create_access_key ? 1 : 0

  user = aws_iam_user.this.name
}
