output "cluster_names" {
  description = "Names of the ECS clusters made here, as the report shows them; none with `create_fleet = false`."
  value       = module.fargate[*].cluster_name
}

output "reader_name" {
  description = "Name of the IAM user that reads for the Worker."
  value       = module.reader.name
}

output "reader_arn" {
  description = "ARN of that user: `reader_arn` of modules/reader-role in other accounts."
  value       = module.reader.arn
}

output "reader_policy" {
  description = "The reader's whole IAM policy, as JSON."
  value       = module.reader.policy
}

output "targets" {
  description = "`TARGETS` for this account, as JSON: an element for each region that the reader may read."
  value       = jsonencode([for region in local.regions : { name = region, region = region }])
}

output "worker_secrets" {
  description = "The Worker's secrets, as `wrangler secret bulk` reads them; null unless create_access_key is true."
  value = var.create_access_key ? {
    AWS_ACCESS_KEY_ID     = module.reader.access_key_id
    AWS_SECRET_ACCESS_KEY = module.reader.secret_access_key
  } : null
  sensitive = true
}

output "task_role_names" {
  description = "IAM role of each service's tasks: attach here what a service needs of AWS."
  value       = try(module.fargate[0].task_role_names, {})
}

output "mirror_url" {
  description = "Where the Lambda mirror answers; null while it is off."
  value       = one(module.mirror[*].url)
}

output "mirror_role_arn" {
  description = "ARN of the mirror's role: `mirror_role_arn` of modules/reader-role in other accounts; null while it is off."
  value       = one(module.mirror[*].role_arn)
}

output "next_command" {
  description = "What to type next, in the repository's root: it gives the Worker its keys."
  value = (
    var.create_access_key
    ? "terraform -chdir=terraform output -json worker_secrets | npx wrangler secret bulk"
    : "make secrets"
  )
}

output "events_undelivered_queue_url" {
  description = "URL of the queue with the events that the Worker did not take; null while events are off."
  value       = one(module.events[*].undelivered_queue_url)
}

output "events_next_command" {
  description = "What to type next for events, in the repository's root: it asks for `events_token` and gives it to the Worker. null while events are off."
  value       = one(module.events[*].next_command)
}
