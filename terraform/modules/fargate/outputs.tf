output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "task_role_names" {
  description = "Name of each service's task role, by the service's name."
  value       = { for name, role in aws_iam_role.task : name => role.name }
}
