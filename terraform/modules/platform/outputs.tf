output "api_url" {
  description = "Where the API answers, without a slash at the end."
  value       = module.api.url
}

output "ws_url" {
  description = "Where the WebSocket API takes connections."
  value       = module.socket_api.url
}

output "bus_name" {
  description = "The bus, for producers inside the account."
  value       = module.event_bus.name
}

output "tables" {
  description = "DynamoDB tables by logical name."
  value       = module.tables.names
}

output "bucket" {
  description = "Bucket of the cold tier."
  value       = module.archive.name
}

output "queue_urls" {
  description = "Queues by name without prefix: each route, its dead-letter queues, the bus's own, quarantine and failures."
  value       = module.event_bus.queue_urls
}

output "secret_ids" {
  description = "Secrets: Postgres logins `owner` and `app`, and `model` (an operator puts the API key; null for bedrock)."
  value       = merge(module.vector_store.secret_ids, { model = module.model.secret_id })
}

output "functions" {
  description = "Lambda function names by logical name."
  value       = { for name, function in module.functions : name => function.name }
}

output "postgres" {
  description = "Host, port and database that functions connect to."
  value       = module.vector_store.pooled
}

output "policies" {
  description = "What each function may do: its one inline policy as JSON, for audit."
  value       = { for name, function in module.functions : name => function.policy }
}
