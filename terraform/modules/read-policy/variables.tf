variable "region" {
  description = "The region whose clusters and services may be read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+(-[a-z]+)+-[0-9]{1,2}$", var.region))
    error_message = "region must be an AWS region's name, such as ap-southeast-2."
  }
}

variable "account_id" {
  description = "The account whose clusters and services may be read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an AWS account, as text."
  }
}

variable "partition" {
  description = "AWS partition: `aws`, or `aws-cn` and the like."
  type        = string
  default     = "aws"
  nullable    = false
}
