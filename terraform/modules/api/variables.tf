variable "name" {
  description = "Name of the API, prefix included."
  type        = string
}

variable "openapi" {
  description = <<-EOT
    The OpenAPI document as JSON. Routes come from it: each operation names its function (`x-membus-function`) and
    the scope a caller needs (`x-membus-scope`); one that anybody may call says `security: []` and names no scope.
  EOT
  type        = string

  validation {
    condition     = can(jsondecode(var.openapi).paths)
    error_message = "The document is JSON and has paths."
  }
}

variable "targets" {
  description = "Functions behind the routes, by the name that the document uses."
  type        = map(object({ name = string, qualifier = optional(string), invoke_arn = string }))
}

variable "fallback" {
  description = "The one of `targets` that answers what no route matches; it must answer 404, for its caller may hold no scope."
  type        = string
}

variable "authorizer" {
  description = "The function that checks the Authorization header; an answer is reused for `ttl_seconds`, so a revoked key lives that long."
  type = object({
    target      = object({ name = string, qualifier = optional(string), invoke_arn = string })
    ttl_seconds = optional(number, 60)
  })

  validation {
    condition     = var.authorizer.ttl_seconds >= 0 && var.authorizer.ttl_seconds <= 60
    error_message = "A revoked key must be refused within a minute."
  }
}

variable "throttling" {
  description = "Requests per second and burst, over all tenants."
  type        = object({ rate = optional(number, 500), burst = optional(number, 1000) })
  default     = {}

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst > 0
    error_message = "0 would refuse everybody."
  }
}

variable "operations" {
  description = "How long access logs are kept and which SNS topic is told of alarms; without one there are none."
  type        = object({ log_retention_days = number, alarm_topic_arn = optional(string) })

  validation {
    condition     = var.operations.log_retention_days > 0
    error_message = "0 would keep logs for ever."
  }
}
