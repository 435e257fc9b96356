variable "name" {
  description = "Name of the API, prefix included."
  type        = string
}

variable "openapi" {
  description = <<-EOT
    The OpenAPI document as JSON, from which routes are made. Each operation names its function
    (`x-membus-function`) and the scope that a caller needs (`x-membus-scope`; `*` where any key will do); a public
    operation has `security: []` and no scope.
  EOT
  type        = string

  validation {
    condition     = can(jsondecode(var.openapi).paths)
    error_message = "openapi must be a JSON document with `paths`."
  }
}

variable "targets" {
  description = "Functions of the routes, by the name that the document uses."
  type = map(object({
    name       = string
    qualifier  = optional(string)
    invoke_arn = string
  }))
}

variable "fallback" {
  description = "The one of `targets` for requests without a route. It must answer 404: the caller may have no scope."
  type        = string
}

variable "authorizer" {
  description = "The function that checks the Authorization header; its answer for a key is reused for `ttl_seconds`."
  type = object({
    target = object({
      name       = string
      qualifier  = optional(string)
      invoke_arn = string
    })
    ttl_seconds = optional(number, 60)
  })

  validation {
    condition     = var.authorizer.ttl_seconds >= 0 && var.authorizer.ttl_seconds <= 60
    error_message = "authorizer.ttl_seconds must be 0 to 60: a revoked key must be rejected within a minute."
  }
}

variable "throttling" {
  description = "Requests per second and burst, over all tenants."
  type = object({
    rate  = optional(number, 500)
    burst = optional(number, 1000)
  })
  default = {}

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst > 0
    error_message = "throttling.rate and throttling.burst must be greater than 0, or every request is rejected."
  }
}

variable "operations" {
  description = "How long access logs are kept, and the SNS topic that receives alarms; null makes no alarms."
  type = object({
    log_retention_days = number
    alarm_topic_arn    = optional(string)
  })

  validation {
    condition     = var.operations.log_retention_days > 0
    error_message = "operations.log_retention_days must be greater than 0, which would keep logs for ever."
  }
}
