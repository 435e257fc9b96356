output "platform" {
  description = "The outputs of the platform: URLs, tables, queues, functions, secrets, policies."
  value       = module.platform
}
