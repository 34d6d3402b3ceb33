output "name" {
  description = "Name of the user."
  value       = aws_iam_user.this.name
}

output "arn" {
  description = "ARN of the user: what roles on the other side name in their trust policy."
  value       = aws_iam_user.this.arn
}

output "policy" {
  description = "The user's whole policy, as JSON."
  value       = local.policy
}

output "access_key_id" {
  description = "Id of the access key; null without one."
  value       = one(aws_iam_access_key.this[*].id)
}

output "secret_access_key" {
  description = "Secret of the access key; null without one."
  value       = one(aws_iam_access_key.this[*].secret)
  sensitive   = true
}
