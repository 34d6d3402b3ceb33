output "endpoint" {
  description = "Where the events are sent."
  value       = aws_cloudwatch_event_api_destination.this.invocation_endpoint
}

output "undelivered_queue_url" {
  description = "URL of the queue with the events that the Worker did not take."
  value       = aws_sqs_queue.undelivered.id
}

output "next_command" {
  description = "What to type next, in the repository's root: it asks for the token and gives it to the Worker."
  value       = "npx wrangler secret put EVENTS_TOKEN"
}
