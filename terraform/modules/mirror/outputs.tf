output "url" {
  description = "Where the mirror answers, without a slash at the end."
  value       = trimsuffix(aws_apigatewayv2_stage.default.invoke_url, "/")
}

output "function_name" {
  description = "Name of the Lambda function."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "ARN of the function's role: what roles on the other side name in their trust policy."
  value       = aws_iam_role.this.arn
}
