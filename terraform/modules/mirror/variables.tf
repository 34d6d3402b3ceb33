variable "name" {
  description = "Name of the function and the API; its role's name adds the region."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens and underscores, such as ecs-status."
  }
}

variable "zip_path" {
  description = "Zip with the executable `bootstrap` for arm64."
  type        = string
  nullable    = false
}

variable "environment" {
  description = "Configuration of ecs-status, by the names in README.md. Region and keys are not among them: they come from Lambda."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.environment) : contains(local.settings, name) || can(regex(local.targets_name, name))])
    error_message = "environment takes ${join(", ", local.settings)}, and TARGETS_1, TARGETS_2 and so on. Region and keys are the function's own and cannot be set."
  }
}

variable "read_policy" {
  description = "IAM policy, as JSON, with what the function may read. The reader's, so that both see the same."
  type        = string
  nullable    = false

  validation {
    condition     = can(jsondecode(var.read_policy).Statement)
    error_message = "read_policy must be an IAM policy as JSON, with a Statement."
  }
}

variable "region" {
  description = "Region of the function, for the name of its role."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The account whose API may invoke the function."
  type        = string
  nullable    = false
}

variable "memory_size" {
  description = "MiB of the function; its share of a CPU grows with them."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size must be a whole number of MiB from 128 to 10240."
  }
}

variable "timeout" {
  description = "Seconds after which Lambda ends a request. Above SWEEP_TIMEOUT, so that ecs-status itself can say that time ran out."
  type        = number
  default     = 28
  nullable    = false

  validation {
    condition     = var.timeout >= 1 && var.timeout < 30 && floor(var.timeout) == var.timeout
    error_message = "timeout must be a whole number of seconds from 1 to 29: API Gateway waits 30."
  }

  validation {
    condition     = var.timeout > try(tonumber(lookup(var.environment, "SWEEP_TIMEOUT", "20")), 0)
    error_message = "timeout must be longer than SWEEP_TIMEOUT, which is 20 unless environment says otherwise."
  }
}

variable "throttling_burst_limit" {
  description = "Requests that the API takes at once before it answers 429."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.throttling_burst_limit >= 1 && floor(var.throttling_burst_limit) == var.throttling_burst_limit
    error_message = "throttling_burst_limit must be a whole number, 1 or more; 0 would refuse everyone."
  }
}

variable "throttling_rate_limit" {
  description = "Requests a second that the API takes in the long run."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.throttling_rate_limit > 0
    error_message = "throttling_rate_limit must be above 0; 0 would refuse everyone."
  }
}

variable "log_retention_days" {
  description = "Days that the function's log and the access log are kept: one of the numbers that CloudWatch Logs takes."
  type        = number
  default     = 30
  nullable    = false
}
