# What is only passed on to read-policy is validated there.

variable "name" {
  description = "Name of the IAM user."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", var.name))
    error_message = "name must be 1 to 64 letters, digits and _+=,.@- (what IAM allows), such as ecs-status-reader."
  }
}

variable "assumable_role_arns" {
  description = "Roles, also of other accounts, that the user may assume. Exact ARNs."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.assumable_role_arns : can(regex("^arn:aws(-[a-z]+)*:iam::[0-9]{12}:role/([A-Za-z0-9_+=,.@-]+/)*[A-Za-z0-9_+=,.@-]{1,64}$", arn))])
    error_message = "assumable_role_arns must be whole ARNs of IAM roles without wildcards, such as arn:aws:iam::123456789012:role/ecs-status."
  }
}

variable "create_access_key" {
  description = "Whether Terraform creates an access key, whose secret then lies in the state."
  type        = bool
  default     = false
  nullable    = false
}

variable "regions" {
  description = "The regions whose clusters and services may be read, at least one."
  type        = list(string)
  nullable    = false
}

variable "account_id" {
  description = "The account whose clusters and services may be read."
  type        = string
  nullable    = false
}

variable "partition" {
  description = "AWS partition: `aws`, or `aws-cn` and the like."
  type        = string
  default     = "aws"
  nullable    = false
}
