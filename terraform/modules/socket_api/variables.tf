variable "name" {
  description = "Name of the API, prefix included."
  type        = string
}

variable "target" {
  description = "The function of every route."
  type = object({
    name       = string
    qualifier  = optional(string)
    invoke_arn = string
  })
}

variable "authorizer" {
  description = "The function that checks the credential of each new connection."
  type = object({
    name       = string
    qualifier  = optional(string)
    invoke_arn = string
  })
}

variable "gateway_url" {
  description = "URL of a gateway other than AWS's; the API's id and the stage follow as its path. Null for AWS."
  type        = string
  default     = null

  validation {
    condition     = var.gateway_url == null || can(regex("^https?://[^/]+(/[^/]+)*$", var.gateway_url))
    error_message = "gateway_url must be an http or https URL without a slash at its end."
  }
}

variable "throttling" {
  description = "Connections and messages per second and their burst, over all tenants."
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

variable "ip_address_type" {
  description = "`dualstack` lets a function without IPv4 egress post frames; null leaves it to the gateway."
  type        = string
  default     = null

  validation {
    condition     = contains(["ipv4", "dualstack"], coalesce(var.ip_address_type, "ipv4"))
    error_message = "ip_address_type must be ipv4, dualstack or null."
  }
}
