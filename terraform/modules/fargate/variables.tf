variable "cluster_name" {
  description = "Name of the cluster, 1 to 40 characters."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,39}$", var.cluster_name))
    error_message = "cluster_name must be 1 to 40 letters, digits and hyphens, starting with a letter."
  }

  # Amazon EC2 API Reference, CreateSecurityGroup, parameter GroupName: case-insensitive, and not the beginning of an id.
  validation {
    condition     = !startswith(lower(var.cluster_name), "sg-")
    error_message = "cluster_name must not start with sg-: the security groups' names begin with it, and AWS takes a name that starts with sg- for a group's id."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights: `disabled`, `enabled` or `enhanced`. Costs extra."
  type        = string
  default     = "disabled"
  nullable    = false

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights must be disabled, enabled or enhanced."
  }
}

variable "log_retention_days" {
  description = "Days that the services' logs are kept: one of the numbers that CloudWatch Logs takes."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains(local.retention_days, var.log_retention_days)
    error_message = "log_retention_days must be one of ${join(", ", local.retention_days)}."
  }
}

variable "services" {
  description = "The services by name."
  type = map(object({
    cpu              = optional(number, 256)
    memory           = optional(number, 512)
    cpu_architecture = optional(string, "X86_64")
    desired_count    = optional(number, 1)
    autoscaled       = optional(bool, false)
    launch_type      = optional(string)
    capacity_provider_strategy = optional(list(object({
      capacity_provider = string
      weight            = optional(number, 1)
      base              = optional(number, 0)
    })), [])
    containers = map(object({
      image                    = string
      command                  = optional(list(string))
      ports                    = optional(list(number), [])
      environment              = optional(map(string), {})
      secrets                  = optional(map(string), {})
      registry_secret_arn      = optional(string)
      essential                = optional(bool, true)
      readonly_root_filesystem = optional(bool, true)
      writable_paths           = optional(list(string), [])
    }))
  }))
  nullable = false

  # Its security group's description holds both names, and takes 255 characters.
  validation {
    condition = alltrue([
      for name in keys(var.services) :
      can(regex("^[A-Za-z][A-Za-z0-9_-]*$", name)) && length("${var.cluster_name}-${name}") <= 200
    ])
    error_message = "A service's name must be letters, digits, hyphens and underscores, starting with a letter, and with the cluster's name and a hyphen at most 200 characters long."
  }

  validation {
    condition     = alltrue([for service in var.services : contains(keys(local.fargate_memory), tostring(service.cpu))])
    error_message = "cpu must be one of Fargate's sizes: ${join(", ", sort(keys(local.fargate_memory)))} (1024 is one vCPU)."
  }

  validation {
    condition = alltrue([
      for service in var.services : contains(lookup(local.fargate_memory, tostring(service.cpu), [service.memory]), service.memory)
    ])
    error_message = join(" ", [
      for name, service in var.services :
      "${name}: with cpu ${service.cpu}, memory must be one of ${join(", ", local.fargate_memory[tostring(service.cpu)])} MiB, not ${service.memory}."
      if !contains(lookup(local.fargate_memory, tostring(service.cpu), [service.memory]), service.memory)
    ])
  }

  validation {
    condition     = alltrue([for service in var.services : contains(["X86_64", "ARM64"], service.cpu_architecture)])
    error_message = "cpu_architecture must be X86_64 or ARM64."
  }

  validation {
    condition     = alltrue([for service in var.services : service.desired_count >= 0 && floor(service.desired_count) == service.desired_count])
    error_message = "desired_count must be a whole number, 0 or more."
  }

  validation {
    condition     = alltrue([for service in var.services : contains(["FARGATE"], coalesce(service.launch_type, "FARGATE"))])
    error_message = "launch_type must be FARGATE, or be left out: a strategy, by default all on FARGATE, then decides."
  }

  validation {
    condition = alltrue([
      for service in var.services : service.launch_type == null || length(service.capacity_provider_strategy) == 0
    ])
    error_message = "A service takes a launch_type or a capacity_provider_strategy, not both."
  }

  validation {
    condition = alltrue([
      for service in var.services : alltrue([
        for item in service.capacity_provider_strategy : contains(["FARGATE", "FARGATE_SPOT"], item.capacity_provider)
      ]) && length(distinct(service.capacity_provider_strategy[*].capacity_provider)) == length(service.capacity_provider_strategy)
    ])
    error_message = "A capacity_provider_strategy names FARGATE and FARGATE_SPOT, each at most once."
  }

  validation {
    condition = alltrue([
      for service in var.services : length(service.capacity_provider_strategy) == 0 || (
        anytrue([for item in service.capacity_provider_strategy : item.weight > 0])
        && length([for item in service.capacity_provider_strategy : item if item.base > 0]) <= 1
        && alltrue([for item in service.capacity_provider_strategy : item.weight >= 0 && item.weight <= 1000 && item.base >= 0 && item.base <= 100000])
      )
    ])
    error_message = "A capacity_provider_strategy has weights from 0 to 1000, at least one above 0, and bases from 0 to 100000, at most one above 0."
  }

  validation {
    condition = alltrue([
      for service in var.services : anytrue([for container in service.containers : container.essential])
    ])
    error_message = "A service needs at least one container, and at least one that is essential."
  }

  validation {
    condition = alltrue(flatten([
      for service in var.services : [for name in keys(service.containers) : can(regex("^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$", name))]
    ]))
    error_message = "A container's name must be letters, digits, hyphens and underscores."
  }

  validation {
    condition = alltrue(flatten([
      for service in var.services : [for container in service.containers : can(regex(local.image, container.image))]
    ]))
    error_message = "image must be as docker pull takes it: hashicorp/http-echo:1.0.0, public.ecr.aws/nginx/nginx:1.28, registry.example.com/team/app@sha256:..., without https://."
  }

  validation {
    condition = alltrue([
      for ports in [for service in var.services : flatten([for container in service.containers : container.ports])] :
      length(distinct(ports)) == length(ports) && alltrue([for port in ports : port >= 1 && port <= 65535 && floor(port) == port])
    ])
    error_message = "ports must be whole numbers from 1 to 65535, each once a service: its containers share one network address."
  }

  validation {
    condition = alltrue(flatten([
      for service in var.services : [
        for container in service.containers : [
          for arn in concat(values(container.secrets), compact([container.registry_secret_arn])) :
          can(regex("^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$", arn))
        ]
      ]
    ]))
    error_message = "secrets and registry_secret_arn take ARNs of Secrets Manager secrets, such as arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:name-AbCdEf."
  }

  validation {
    condition = alltrue(flatten([
      for service in var.services : [for container in service.containers : [for path in container.writable_paths : startswith(path, "/") && path != "/"]]
    ]))
    error_message = "writable_paths must be absolute and below the root, such as /var/cache."
  }
}

variable "subnet_ids" {
  description = "Subnets of the tasks, with a route to the internet: every task gets a public address, to pull its image."
  type        = list(string)
  nullable    = false
}

variable "security_group_ids" {
  description = "Each service's security group, by the service's name."
  type        = map(string)
  nullable    = false
}

variable "region" {
  description = "Region of the cluster, for log configuration and IAM."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Account of the cluster, for IAM."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "AWS partition, for IAM: `aws`, or `aws-cn` and the like."
  type        = string
  default     = "aws"
  nullable    = false
}
