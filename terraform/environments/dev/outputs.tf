output "platform" {
  description = "Everything that the platform names: URLs, tables, queues, functions, secrets."
  value       = module.platform
}
