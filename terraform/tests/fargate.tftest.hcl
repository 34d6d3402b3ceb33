# What a service becomes.

# The real provider, which renders the real policies and default tags, but asks AWS nothing.
provider "aws" {
  region                      = "ap-southeast-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_requesting_account_id  = true

  default_tags {
    tags = {
      environment = "frankie"
      owner       = "K2"
      contact     = "k2@example.com"
    }
  }
}

variables {
  cluster_name       = "k2tog"
  region             = "ap-southeast-2"
  account_id         = "123456789012"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = { hello = "sg-1", shop = "sg-2", spot = "sg-3", busy = "sg-4" }
  services = {
    hello = {
      containers = { hello = { image = "hashicorp/http-echo:1.0.0", ports = [5678] } }
    }
    spot = {
      capacity_provider_strategy = [{ capacity_provider = "FARGATE_SPOT", weight = 4 }, { capacity_provider = "FARGATE", base = 1 }]
      containers                 = { worker = { image = "123456789012.dkr.ecr.ap-southeast-2.amazonaws.com/team/worker:7" } }
    }
    busy = {
      autoscaled    = true
      desired_count = 2
      containers    = { hello = { image = "hashicorp/http-echo:1.0.0" } }
    }
    shop = {
      cpu              = 1024
      memory           = 3072
      cpu_architecture = "ARM64"
      desired_count    = 3
      launch_type      = "FARGATE"
      containers = {
        web = {
          image               = "registry.example.com/shop/web@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53b5b30"
          command             = ["serve", "--port", "8080"]
          ports               = [8080]
          environment         = { MODE = "shop" }
          secrets             = { PASSWORD = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:shop-AbCdEf:password::" }
          registry_secret_arn = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:registry-AbCdEf"
          writable_paths      = ["/tmp", "/var/cache"]
        }
        sidecar = {
          image                    = "public.ecr.aws/nginx/nginx:1.28-alpine"
          ports                    = [80]
          essential                = false
          readonly_root_filesystem = false
        }
      }
    }
  }
}

run "the_cluster_has_its_capacity_providers_and_each_service_where_it_runs" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition = { for cpu, memory in local.fargate_memory : cpu => "${memory[0]} ${memory[1]} .. ${memory[length(memory) - 1]}" } == {
      256   = "512 1024 .. 2048"
      512   = "1024 2048 .. 4096"
      1024  = "2048 3072 .. 8192"
      2048  = "4096 5120 .. 16384"
      4096  = "8192 9216 .. 30720"
      8192  = "16384 20480 .. 61440"
      16384 = "32768 40960 .. 122880"
    }
    error_message = "The sizes must be those that Fargate has."
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT"]) && aws_ecs_cluster_capacity_providers.this.cluster_name == "k2tog"
    error_message = "FARGATE and FARGATE_SPOT must be associated with the cluster."
  }

  assert {
    condition     = [for item in aws_ecs_service.this["shop"].capacity_provider_strategy : "${item.capacity_provider} ${item.weight} ${item.base}"] == ["FARGATE 1 0"]
    error_message = "The launch type FARGATE becomes the strategy that equals it."
  }

  assert {
    condition     = alltrue([for service in concat(values(aws_ecs_service.this), values(aws_ecs_service.autoscaled)) : service.force_new_deployment])
    error_message = "Without force_new_deployment the provider replaces a service whose strategy changes."
  }

  assert {
    condition     = keys(aws_ecs_service.this) == ["hello", "shop", "spot"] && keys(aws_ecs_service.autoscaled) == ["busy"] && aws_ecs_service.autoscaled["busy"].desired_count == 2
    error_message = "A service is made once: with autoscaled = true, by the resource that ignores the count after creation."
  }

  assert {
    condition = { for item in aws_ecs_service.this["spot"].capacity_provider_strategy : item.capacity_provider => "${item.weight} ${item.base}" } == {
      FARGATE = "1 1", FARGATE_SPOT = "4 0"
    }
    error_message = "A strategy must arrive as it was written."
  }

  assert {
    condition     = [for item in aws_ecs_service.this["hello"].capacity_provider_strategy : "${item.capacity_provider} ${item.weight}"] == ["FARGATE 1"]
    error_message = "A service that says nothing runs on FARGATE."
  }

  assert {
    condition = alltrue([
      for service in concat(values(aws_ecs_service.this), values(aws_ecs_service.autoscaled)) :
      service.deployment_circuit_breaker[0].enable && service.deployment_circuit_breaker[0].rollback
      && service.propagate_tags == "SERVICE" && service.enable_ecs_managed_tags && !service.wait_for_steady_state
    ])
    error_message = "Every service rolls back a failed deployment and hands its tags to its tasks."
  }

  assert {
    condition     = { for name, service in merge(aws_ecs_service.this, aws_ecs_service.autoscaled) : name => tolist(service.network_configuration[0].security_groups)[0] } == { hello = "sg-1", shop = "sg-2", spot = "sg-3", busy = "sg-4" }
    error_message = "Every service has its own security group."
  }

  assert {
    condition = alltrue([
      for tags in concat(
        [aws_ecs_cluster.this.tags_all],
        values(aws_ecs_service.this)[*].tags_all,
        values(aws_ecs_service.autoscaled)[*].tags_all,
        values(aws_ecs_task_definition.service)[*].tags_all,
        values(aws_cloudwatch_log_group.service)[*].tags_all,
        values(aws_iam_role.execution)[*].tags_all,
        values(aws_iam_role.task)[*].tags_all,
      ) : tags == tomap({ environment = "frankie", owner = "K2", contact = "k2@example.com" })
    ])
    error_message = "Every taggable resource must carry the three tags."
  }
}

# The role ARNs of a task definition are known only after apply, and with them its plan; what is asserted here is not.
run "containers_become_what_ecs_takes" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.service["shop"].container_definitions) == [
      {
        name                   = "sidecar"
        image                  = "public.ecr.aws/nginx/nginx:1.28-alpine"
        essential              = false
        readonlyRootFilesystem = false
        environment            = []
        secrets                = []
        portMappings           = [{ containerPort = 80, hostPort = 80, protocol = "tcp" }]
        mountPoints            = []
        logConfiguration = {
          logDriver = "awslogs"
          options   = { awslogs-group = "/ecs/k2tog/shop", awslogs-region = "ap-southeast-2", awslogs-stream-prefix = "sidecar" }
        }
      },
      {
        name                   = "web"
        image                  = "registry.example.com/shop/web@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53b5b30"
        command                = ["serve", "--port", "8080"]
        essential              = true
        readonlyRootFilesystem = true
        environment            = [{ name = "MODE", value = "shop" }]
        secrets                = [{ name = "PASSWORD", valueFrom = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:shop-AbCdEf:password::" }]
        repositoryCredentials  = { credentialsParameter = "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:registry-AbCdEf" }
        portMappings           = [{ containerPort = 8080, hostPort = 8080, protocol = "tcp" }]
        mountPoints = [
          { sourceVolume = "web-0", containerPath = "/tmp", readOnly = false },
          { sourceVolume = "web-1", containerPath = "/var/cache", readOnly = false },
        ]
        logConfiguration = {
          logDriver = "awslogs"
          options   = { awslogs-group = "/ecs/k2tog/shop", awslogs-region = "ap-southeast-2", awslogs-stream-prefix = "web" }
        }
      },
    ]
    error_message = "The containers are not what ECS should be told."
  }

  assert {
    condition     = aws_ecs_task_definition.service["shop"].cpu == "1024" && aws_ecs_task_definition.service["shop"].memory == "3072" && aws_ecs_task_definition.service["shop"].runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "Size and architecture must arrive as they were written."
  }

  assert {
    condition     = toset(aws_ecs_task_definition.service["shop"].volume[*].name) == toset(["web-0", "web-1"])
    error_message = "Every writable path is a volume of the task."
  }

  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.service : group.retention_in_days == 30])
    error_message = "Logs must not be kept for ever."
  }
}

run "an_execution_role_may_do_only_what_its_own_service_needs" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.execution["hello"].policy).Statement == [{
      Sid      = "WriteOwnLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:aws:logs:ap-southeast-2:123456789012:log-group:/ecs/k2tog/hello:*"]
    }]
    error_message = "An image of a public registry needs nothing but the log."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.execution["spot"].policy).Statement : statement.Sid => statement.Resource } == {
      WriteOwnLog     = ["arn:aws:logs:ap-southeast-2:123456789012:log-group:/ecs/k2tog/spot:*"]
      LogInToRegistry = ["*"]
      PullOwnImages   = ["arn:aws:ecr:ap-southeast-2:123456789012:repository/team/worker"]
    }
    error_message = "An image of ECR opens its own repository, and no other."
  }

  assert {
    condition = flatten([for statement in jsondecode(aws_iam_role_policy.execution["spot"].policy).Statement : statement.Action]) == [
      "logs:CreateLogStream", "logs:PutLogEvents", "ecr:GetAuthorizationToken",
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer",
    ]
    error_message = "An execution role pulls images and writes logs, nothing else."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.execution["shop"].policy).Statement : statement if statement.Sid == "ReadOwnSecrets"] == [{
      Sid    = "ReadOwnSecrets"
      Effect = "Allow"
      Action = ["secretsmanager:GetSecretValue"]
      Resource = [
        "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:shop-AbCdEf",
        "arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:registry-AbCdEf",
      ]
    }]
    error_message = "Secrets are opened one by one, without the key that the ARN may end with."
  }

  assert {
    condition = alltrue([
      for role in concat(values(aws_iam_role.execution), values(aws_iam_role.task)) :
      jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
      && jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    ])
    error_message = "Only ECS, for tasks of this account, may assume the roles."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.execution : jsondecode(role.assume_role_policy).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "123456789012" } }])
    error_message = "aws:SourceArn is documented for task roles alone: an execution role has no condition but the account."
  }

  assert {
    condition     = alltrue([for role in aws_iam_role.task : jsondecode(role.assume_role_policy).Statement[0].Condition.ArnLike == { "aws:SourceArn" = "arn:aws:ecs:ap-southeast-2:123456789012:*" }])
    error_message = "A task role is for tasks of this account and region."
  }
}

run "the_names_of_roles_carry_the_region" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition     = aws_iam_role.execution["hello"].name == "k2tog-hello-ap-southeast-2-execution" && aws_iam_role.task["hello"].name == "k2tog-hello-ap-southeast-2-task"
    error_message = "The same cluster and service in another region of the account must get roles of other names."
  }
}

run "a_name_too_long_for_a_role_is_shortened_and_stays_unique" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    cluster_name       = "a-cluster-with-a-name-of-40-characters-x"
    security_group_ids = { a-service-with-a-long-name-1 = "sg-1", a-service-with-a-long-name-2 = "sg-2" }
    services = {
      a-service-with-a-long-name-1 = { containers = { web = { image = "web:1" } } }
      a-service-with-a-long-name-2 = { containers = { web = { image = "web:1" } } }
    }
  }

  assert {
    condition = alltrue([
      for role in concat(values(aws_iam_role.execution), values(aws_iam_role.task)) :
      length(role.name) == 64 && startswith(role.name, "a-cluster-with-a-name-of-40-characters-x-a-service-with")
    ])
    error_message = "IAM takes 64 characters."
  }

  assert {
    condition     = length(distinct(concat(values(aws_iam_role.execution)[*].name, values(aws_iam_role.task)[*].name))) == 4
    error_message = "What is cut off must not make two names one."
  }

  assert {
    condition     = local.role_names["a-service-with-a-long-name-1 execution"] != format("%.55s-%.8s", "a-cluster-with-a-name-of-40-characters-x-a-service-with-a-long-name-1-eu-west-1-execution", sha1("a-cluster-with-a-name-of-40-characters-x-a-service-with-a-long-name-1-eu-west-1-execution"))
    error_message = "The hash must tell one region from another."
  }
}

run "an_image_of_any_private_ecr_registry_opens_its_own_repository" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    security_group_ids = { many = "sg-1" }
    services = {
      many = {
        containers = {
          a = { image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/a:1" }
          b = { image = "123456789012.dkr-ecr.eu-west-1.on.aws/team/b:1" }
          c = { image = "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu/c@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53b5b30" }
          d = { image = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/d" }
          e = { image = "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn/e:1" }
          f = { image = "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/f:1" }
          g = { image = "123456789012.dkr-ecr-fips.us-east-2.on.aws/g:1" }
          x = { image = "public.ecr.aws/nginx/nginx:1.28" }
          y = { image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.com/y:1" }
        }
      }
    }
  }

  assert {
    condition = flatten([for statement in jsondecode(aws_iam_role_policy.execution["many"].policy).Statement : statement.Resource if statement.Sid == "PullOwnImages"]) == [
      "arn:aws:ecr:eu-west-1:123456789012:repository/team/a",
      "arn:aws:ecr:eu-west-1:123456789012:repository/team/b",
      "arn:aws:ecr:eusc-de-east-1:123456789012:repository/c",
      "arn:aws:ecr:cn-north-1:123456789012:repository/d",
      "arn:aws:ecr:cn-north-1:123456789012:repository/e",
      "arn:aws:ecr:us-gov-west-1:123456789012:repository/f",
      "arn:aws:ecr:us-east-2:123456789012:repository/g",
    ]
    error_message = "Each of ECR's hosts must be known, and none that only begins as one of them."
  }
}
