output "url" {
  description = "Where the mirror answers, without a slash at the end."
  value       = trimsuffix(aws_apigatewayv2_stage.default.invoke_url, "/")
}

output "function_name" {
  description = "Name of the Lambda function."
  value       = aws_lambda_function.this.function_name
}
