# What is only passed on to a module is validated there.

variable "region" {
  description = "AWS region of everything here, and the first that the reader may read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[1-9]$", var.region))
    error_message = "region must be an AWS region's name, such as ap-southeast-2."
  }
}

variable "environment" {
  description = "Value of the tag `environment` on every resource. Outside the workspace `default` it must equal the workspace's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "environment must be 1 to 32 lower-case letters, digits and hyphens, starting with a letter, such as production."
  }

  # Otherwise `-var-file=environments/staging.tfvars` in production's workspace would rebuild production as staging.
  validation {
    condition     = contains(["default", var.environment], terraform.workspace)
    error_message = "The workspace is ${terraform.workspace}, but environment is ${var.environment}: run `terraform workspace select -or-create ${var.environment}` first."
  }
}

variable "owner" {
  description = "Value of the tag `owner` on every resource: the team that answers for it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.:/=+@-][A-Za-z0-9 _.:/=+@-]{0,127}$", var.owner))
    error_message = "owner must be 1 to 128 letters, digits, spaces and _.:/=+@- (what AWS allows in a tag), such as K2."
  }
}

variable "contact" {
  description = "Value of the tag `contact` on every resource: an e-mail address."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.+=/-]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+$", var.contact)) && length(var.contact) <= 254
    error_message = "contact must be an e-mail address, such as k2@example.com."
  }
}

variable "create_fleet" {
  description = "Whether to make a VPC and a cluster with services. false: the reader alone, and the mirror if asked for, beside a fleet that you have."
  type        = bool
  default     = true
  nullable    = false
}

variable "vpc_cidr" {
  description = "IPv4 range of the VPC: private, /16 to /24. Each subnet takes a sixteenth of it."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false
}

variable "zone_count" {
  description = "How many of the region's availability zones get a subnet, at least 2."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = contains(range(2, 7), var.zone_count)
    error_message = "zone_count must be a whole number from 2 to 6."
  }
}

variable "cluster_name" {
  description = "Name of the ECS cluster. The names of everything else begin with it or contain it. null, with `create_fleet = false` only: they contain `environment`."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_name != null || !var.create_fleet
    error_message = "cluster_name must be set, or create_fleet be false: then there is no cluster, only a reader of those that you have."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights of the cluster: `disabled`, `enabled` or `enhanced`. Costs extra."
  type        = string
  default     = "disabled"
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that the logs of services and of the mirror are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "services" {
  description = "The Fargate services by name. modules/fargate/README.md describes the attributes; `allowed_cidrs` may reach the ports, and `egress_ports` may be reached from the tasks (TCP, anywhere)."
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
    allowed_cidrs = optional(list(string), [])
    egress_ports  = optional(list(number), [443])
  }))
  nullable = false

  # A static server of a few megabytes that needs no disk: it answers "hello-world" on port 5678.
  default = {
    hello-world = {
      containers = {
        hello-world = {
          image = "hashicorp/http-echo:1.0.0"
          ports = [5678]
        }
      }
      allowed_cidrs = ["0.0.0.0/0"]
    }
  }
}

variable "reader_name" {
  description = "Name of the IAM user whose keys the Worker holds. null: `ecs-status-reader-`, the cluster's name (or `environment`) and the region."
  type        = string
  default     = null
}

variable "reader_regions" {
  description = "More regions of this account that the reader and the mirror may read, besides `region`."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "assumable_role_arns" {
  description = "Roles, also of other accounts, that the reader and the mirror may assume: the `role_arn` of each modules/reader-role. Exact ARNs. Each role has to trust whichever of the two assumes it."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "create_access_key" {
  description = "Whether Terraform creates the reader's access key. Its secret then lies in the state; `make secrets` creates one that does not."
  type        = bool
  default     = false
  nullable    = false
}

variable "enable_lambda_mirror" {
  description = "Whether to run the API Gateway + Lambda mirror of the Worker."
  type        = bool
  default     = false
  nullable    = false
}

variable "mirror_zip_path" {
  description = "The mirror's code, as `make mirror` builds it."
  type        = string
  default     = "../target/lambda/bootstrap.zip"
  nullable    = false
}

variable "mirror_environment" {
  description = "The mirror's configuration: environment variables as in README.md, \"Configuration\"."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "enable_events" {
  description = "Whether EventBridge tells the Worker what changes in `region`. For other regions and accounts see modules/events/README.md."
  type        = bool
  default     = false
  nullable    = false
}

variable "worker_url" {
  description = "Where the Worker answers, with https, such as https://ecs-status.example.workers.dev. Needed with `enable_events`."
  type        = string
  default     = null

  validation {
    condition     = var.worker_url != null || !var.enable_events
    error_message = "worker_url must be set where enable_events is true, to the address that `npx wrangler deploy` printed."
  }
}

variable "events_token" {
  description = "The Worker's `EVENTS_TOKEN`, best from the environment (`TF_VAR_events_token`). It lies in the state. Needed with `enable_events`."
  type        = string
  sensitive   = true
  default     = null

  validation {
    condition     = var.events_token != null || !var.enable_events
    error_message = "events_token must be set where enable_events is true: export TF_VAR_events_token=\"$(openssl rand -hex 32)\"."
  }
}
