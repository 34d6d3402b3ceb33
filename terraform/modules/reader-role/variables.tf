# What is only passed on to read-policy is validated there.

variable "name" {
  description = "Name of the IAM role. null: `ecs-status-` and the region."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", coalesce(var.name, "ecs-status")))
    error_message = "name must be 1 to 64 letters, digits and _+=,.@- (what IAM allows), such as ecs-status."
  }
}

variable "target_name" {
  description = "What the report calls this account and region: `target`, which is also a filter key."
  type        = string
  nullable    = false

  # What TARGETS takes, less the two characters that JSON escapes with a backslash, which TOML would take away.
  validation {
    condition     = can(regex("^[^\\p{Cc}\"\\\\]{1,64}$", var.target_name))
    error_message = "target_name must be 1 to 64 characters without quotation marks, backslashes and line breaks, such as partner."
  }
}

variable "region" {
  description = "The region whose clusters and services may be read."
  type        = string
  nullable    = false
}

variable "reader_arn" {
  description = "ARN of the IAM user that may assume the role: the output `reader_arn` on the other side. Nobody else may, but for `mirror_role_arn`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws(-[a-z]+)*:iam::[0-9]{12}:user/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", var.reader_arn))
    error_message = "reader_arn must be the whole ARN of one IAM user without wildcards, such as arn:aws:iam::123456789012:user/ecs-status-reader."
  }
}

variable "mirror_role_arn" {
  description = "ARN of the Lambda mirror's role, if that may assume the role too: the output `mirror_role_arn` on the other side."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", coalesce(var.mirror_role_arn, "arn:aws:iam::123456789012:role/ecs-status")))
    error_message = "mirror_role_arn must be the whole ARN of one IAM role without wildcards, such as arn:aws:iam::123456789012:role/ecs-status."
  }
}

variable "external_id" {
  description = "What the reader and the mirror have to say to get the role: a random text, another one for each account."
  type        = string
  nullable    = false

  # AWS Security Token Service API Reference, AssumeRole, parameter ExternalId.
  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]+$", var.external_id)) && length(var.external_id) >= 2 && length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1224 letters, digits and _+=,.@:/- (what STS allows), such as `openssl rand -hex 16` prints."
  }
}

variable "tags" {
  description = "Tags of the role, besides those that the provider sets by default."
  type        = map(string)
  default     = {}
  nullable    = false
}
