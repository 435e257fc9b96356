variable "name" {
  description = "Name of the API, prefix included."
  type        = string
}

variable "target" {
  description = "The function behind every route."
  type        = object({ name = string, qualifier = optional(string), invoke_arn = string })
}

variable "authorizer" {
  description = "The function that checks the credential of each new connection."
  type        = object({ name = string, qualifier = optional(string), invoke_arn = string })
}

variable "gateway_url" {
  description = "Where a gateway answers that is not AWS's; the API's id and the stage follow as its path. Null for AWS."
  type        = string
  default     = null

  validation {
    condition     = var.gateway_url == null || can(regex("^https?://[^/]+(/[^/]+)*$", var.gateway_url))
    error_message = "A URL without a slash at its end."
  }
}

variable "throttling" {
  description = "Connections and messages per second and their burst, over all tenants."
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
