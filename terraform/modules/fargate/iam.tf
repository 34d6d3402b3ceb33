# Two roles a service: the execution role is ECS's, to pull the image and write the log; the task role is the
# code's own, and may do nothing until someone attaches a policy.

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      # Only for tasks of this account, whoever else knows the role's name.
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:ecs:${var.region}:${var.account_id}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "execution" {
  for_each = var.services

  name               = "${var.cluster_name}-${each.key}-execution"
  description        = "ECS starts tasks of ${each.key} in ${var.cluster_name} with this"
  assume_role_policy = local.trust
}

resource "aws_iam_role" "task" {
  for_each = var.services

  name               = "${var.cluster_name}-${each.key}-task"
  description        = "What the code of ${each.key} in ${var.cluster_name} may do"
  assume_role_policy = local.trust
}

# Not the managed AmazonECSTaskExecutionRolePolicy, which opens every repository and log group of the account.
resource "aws_iam_role_policy" "execution" {
  for_each = var.services

  name = "start-tasks"
  role = aws_iam_role.execution[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in [
        {
          Sid      = "WriteOwnLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["arn:${var.partition}:logs:${var.region}:${var.account_id}:log-group:/ecs/${var.cluster_name}/${each.key}:*"]
        },
        {
          # AWS knows no resource for this one.
          Sid      = "LogInToRegistry"
          Effect   = "Allow"
          Action   = ["ecr:GetAuthorizationToken"]
          Resource = [for resource in ["*"] : resource if length(local.repositories[each.key]) > 0]
        },
        {
          Sid      = "PullOwnImages"
          Effect   = "Allow"
          Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
          Resource = local.repositories[each.key]
        },
        {
          Sid      = "ReadOwnSecrets"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = local.secrets[each.key]
        },
      ] : statement if length(statement.Resource) > 0
    ]
  })
}
