output "api_url" {
  description = "URL of the API, without a slash at the end."
  value       = module.api.url
}

output "ws_url" {
  description = "URL of the WebSocket API."
  value       = module.socket_api.url
}

output "bus_name" {
  description = "Name of the bus, for producers inside the account."
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
  description = "URL of every queue by its name without prefix, dead-letter queues included."
  value       = module.event_bus.queue_urls
}

output "secret_ids" {
  description = "Postgres logins `owner` and `app`, and `model`: an operator puts the API key there; null for bedrock."
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
  description = "The permissions of each function: its one inline policy as JSON, for audit."
  value       = { for name, function in module.functions : name => function.policy }
}
