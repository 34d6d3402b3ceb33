# Two roles a service: the execution role is ECS's, to pull the image and write the log; the task role is the
# code's own, and may do nothing until someone attaches a policy.

locals {
  # Only for tasks of this account, whoever else knows the role's name.
  trust_conditions = {
    # The Amazon ECS Developer Guide has aws:SourceArn in the trust of task roles alone.
    execution = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    task = {
      StringEquals = { "aws:SourceAccount" = var.account_id }
      ArnLike      = { "aws:SourceArn" = "arn:${var.partition}:ecs:${var.region}:${var.account_id}:*" }
    }
  }

  trust = {
    for role, condition in local.trust_conditions : role => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "ecs-tasks.amazonaws.com" }
        Condition = condition
      }]
    })
  }
}

resource "aws_iam_role" "execution" {
  for_each = var.services

  name               = local.role_names["${each.key} execution"]
  description        = "ECS starts tasks of ${each.key} in ${var.cluster_name} with this"
  assume_role_policy = local.trust.execution

  # A role of another name comes before the old one goes: tasks that run still need it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role" "task" {
  for_each = var.services

  name               = local.role_names["${each.key} task"]
  description        = "What the code of ${each.key} in ${var.cluster_name} may do"
  assume_role_policy = local.trust.task

  lifecycle {
    create_before_destroy = true
  }
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
