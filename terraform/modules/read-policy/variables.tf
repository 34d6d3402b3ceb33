variable "regions" {
  description = "The regions whose clusters and services may be read, at least one."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for region in var.regions : can(regex("^[a-z]+(-[a-z]+)+-[0-9]{1,2}$", region))])
    error_message = "Each region must be an AWS region's name, such as ap-southeast-2."
  }

  validation {
    condition     = length(var.regions) > 0 && length(distinct(var.regions)) == length(var.regions)
    error_message = "There must be at least one region, and none twice."
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
