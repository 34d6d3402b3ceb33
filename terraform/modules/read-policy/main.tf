locals {
  arn_prefixes = [for region in var.regions : "arn:${var.partition}:ecs:${region}:${var.account_id}"]

  # What each action can be limited by is in the Service Authorization Reference, "Actions, resources, and
  # condition keys for Amazon Elastic Container Service".
  statements = [
    {
      Sid      = "ListClusters"
      Effect   = "Allow"
      Action   = ["ecs:ListClusters"]
      Resource = ["*"]
    },
    {
      # It has no resource type, only the condition key: an ARN as its resource would refuse every call.
      Sid       = "ListServices"
      Effect    = "Allow"
      Action    = ["ecs:ListServices"]
      Resource  = ["*"]
      Condition = { ArnLike = { "ecs:cluster" = [for prefix in local.arn_prefixes : "${prefix}:cluster/*"] } }
    },
    {
      Sid      = "DescribeClusters"
      Effect   = "Allow"
      Action   = ["ecs:DescribeClusters"]
      Resource = [for prefix in local.arn_prefixes : "${prefix}:cluster/*"]
    },
    {
      Sid      = "DescribeServices"
      Effect   = "Allow"
      Action   = ["ecs:DescribeServices"]
      Resource = [for prefix in local.arn_prefixes : "${prefix}:service/*"]
    },
  ]
}
