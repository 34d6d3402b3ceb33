output "role_arn" {
  description = "ARN of the role: the reader needs it in its `assumable_role_arns`."
  value       = aws_iam_role.this.arn
}

output "target" {
  description = "The element of `TARGETS` that has this account and region reported, as JSON."
  value = jsonencode({
    name       = var.target_name
    region     = var.region
    roleArn    = aws_iam_role.this.arn
    externalId = var.external_id
  })
}
