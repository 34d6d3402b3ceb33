resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights costs by metric, so it is the variable container_insights, off unless asked for.
  name = var.cluster_name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }
}

# Without this the cluster says `capacityProviders: []`, and refuses services with a strategy. It and the services
# come after the cluster, whose creation makes ECS's service-linked role in an account that has none.
resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  # Also for what others start in this cluster.
  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_cloudwatch_log_group" "service" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts at rest with its own key; a customer's key costs a dollar a month for each environment.
  #checkov:skip=CKV_AWS_338:How long logs are kept is the variable log_retention_days, validated; a year is production's choice.
  for_each = var.services

  name              = "/ecs/${var.cluster_name}/${each.key}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "service" {
  for_each = var.services

  family                   = "${var.cluster_name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = each.value.cpu_architecture
  }

  dynamic "volume" {
    for_each = local.volumes[each.key]

    content {
      name = volume.key
    }
  }

  container_definitions = jsonencode([
    for name, container in each.value.containers : {
      # Members without a value are left out: ECS does not take null.
      for member, value in {
        name                   = name
        image                  = container.image
        command                = container.command
        essential              = container.essential
        readonlyRootFilesystem = container.readonly_root_filesystem
        environment            = [for key, text in container.environment : { name = key, value = text }]
        secrets                = [for key, arn in container.secrets : { name = key, valueFrom = arn }]
        repositoryCredentials  = container.registry_secret_arn == null ? null : { credentialsParameter = container.registry_secret_arn }
        portMappings           = [for port in container.ports : { containerPort = port, hostPort = port, protocol = "tcp" }]
        mountPoints = [
          for volume, mount in local.volumes[each.key] : { sourceVolume = volume, containerPath = mount.path, readOnly = false }
          if mount.container == name
        ]
        logConfiguration = {
          logDriver = "awslogs"
          options = {
            awslogs-group         = aws_cloudwatch_log_group.service[each.key].name
            awslogs-region        = var.region
            awslogs-stream-prefix = name
          }
        }
      } : member => value if value != null
    }
  ])
}

resource "aws_ecs_service" "this" {
  #checkov:skip=CKV_AWS_333:The subnets are public and have no NAT gateway, so a task needs an address of its own to pull its image; its security group decides what reaches it.
  for_each = { for name, service in var.services : name => service if !service.autoscaled }

  name            = each.key
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.service[each.key].arn
  desired_count   = each.value.desired_count

  # The provider updates a strategy in place only with this, and only from one strategy to another: from or to a
  # launch type it replaces the service. So the launch type FARGATE is written as the strategy that equals it.
  force_new_deployment = true

  dynamic "capacity_provider_strategy" {
    for_each = local.strategies[each.key]

    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      weight            = capacity_provider_strategy.value.weight
      base              = capacity_provider_strategy.value.base
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids[each.key]]
    assign_public_ip = true
  }

  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # The service has the provider's default tags, and its tasks get the service's.
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true

  # An image that never starts should be ECS's circuit breaker's matter, not an apply that hangs.
  wait_for_steady_state = false

  # To start a task, and to stop it well, ECS needs both as long as the service lives.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.execution,
  ]
}

# Service whose number of tasks an autoscaler sets after creation: `this`, but for the last block. Terraform takes no
# condition in `ignore_changes`, so it is a resource of its own.
resource "aws_ecs_service" "autoscaled" {
  #checkov:skip=CKV_AWS_333:The subnets are public and have no NAT gateway, so a task needs an address of its own to pull its image; its security group decides what reaches it.
  for_each = { for name, service in var.services : name => service if service.autoscaled }

  name            = each.key
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.service[each.key].arn
  desired_count   = each.value.desired_count

  # The provider updates a strategy in place only with this, and only from one strategy to another: from or to a
  # launch type it replaces the service. So the launch type FARGATE is written as the strategy that equals it.
  force_new_deployment = true

  dynamic "capacity_provider_strategy" {
    for_each = local.strategies[each.key]

    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      weight            = capacity_provider_strategy.value.weight
      base              = capacity_provider_strategy.value.base
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids[each.key]]
    assign_public_ip = true
  }

  availability_zone_rebalancing      = "ENABLED"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # The service has the provider's default tags, and its tasks get the service's.
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true

  # An image that never starts should be ECS's circuit breaker's matter, not an apply that hangs.
  wait_for_steady_state = false

  # To start a task, and to stop it well, ECS needs both as long as the service lives.
  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.execution,
  ]

  lifecycle {
    ignore_changes = [desired_count]
  }
}
