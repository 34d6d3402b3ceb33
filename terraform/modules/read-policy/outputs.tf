output "statements" {
  description = "The four statements of an IAM policy, for `jsonencode`."
  value       = local.statements
}
