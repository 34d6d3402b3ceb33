variable "name" {
  description = "Name of the rule, the connection and the API destination; the role's adds the region and `-events`, the queue's `-undelivered`."
  type        = string
  default     = "ecs-status"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits, hyphens and underscores, such as ecs-status."
  }
}

variable "worker_url" {
  description = "Where the Worker answers, with https, and with or without `/events` at the end."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\\.)+[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/events)?/?$", var.worker_url))
    error_message = "worker_url must be the Worker's https address without a path, or with /events, such as https://ecs-status.example.workers.dev."
  }
}

variable "token" {
  description = "The Worker's `EVENTS_TOKEN`. It lies in the state."
  type        = string
  sensitive   = true
  nullable    = false

  # EventBridge takes 512 characters for the header, of which "Bearer " has 7; the Worker takes 16 or more (RFC 6750).
  validation {
    condition     = can(regex("^[A-Za-z0-9._~+/=-]+$", var.token)) && length(var.token) >= 16 && length(var.token) <= 505
    error_message = "token must be 16 to 505 letters, digits and ._~+/=- (what a bearer token may have), such as `openssl rand -hex 32` prints."
  }
}

variable "invocation_rate_limit" {
  description = "Events a second that the Worker is sent at most; EventBridge delays the others."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.invocation_rate_limit >= 1 && var.invocation_rate_limit <= 300 && floor(var.invocation_rate_limit) == var.invocation_rate_limit
    error_message = "invocation_rate_limit must be a whole number from 1 to 300."
  }
}

variable "region" {
  description = "Region of the events, for the name of the role."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The account whose rule may use the role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an AWS account."
  }
}
