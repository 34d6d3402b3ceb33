output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Ids of the public subnets, in the order of their zones' names."
  value       = values(aws_subnet.public)[*].id
}

output "security_group_ids" {
  description = "Id of each service's security group, by the service's name."
  value       = { for name, group in aws_security_group.service : name => group.id }
}
