module "read_policy" {
  source = "../read-policy"

  regions    = var.regions
  account_id = var.account_id
  partition  = var.partition
}

locals {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(module.read_policy.statements, [
      for statement in [{
        Sid      = "AssumeRoles"
        Effect   = "Allow"
        Action   = ["sts:AssumeRole"]
        Resource = var.assumable_role_arns
      }] : statement if length(statement.Resource) > 0
    ])
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

  lifecycle {
    # IAM User Guide, "IAM and AWS STS quotas": inline policies of a user.
    precondition {
      condition     = length(local.policy) <= 2048
      error_message = "A user's policy may have 2048 characters, and this one has ${length(local.policy)}: regions and assumable_role_arns must be fewer or shorter."
    }
  }
}

resource "aws_iam_access_key" "this" {
  count = var.create_access_key ? 1 : 0

  user = aws_iam_user.this.name
}
