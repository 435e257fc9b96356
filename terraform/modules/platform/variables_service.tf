variable "hot_tier" {
  description = "Limits of the cache in front of DynamoDB; null makes no cache."
  type = object({
    storage_gb      = optional(number)
    ecpu_per_second = optional(number)
  })
  default = null

  validation {
    condition     = var.hot_tier == null || var.network != null
    error_message = "hot_tier needs a network: the cache is inside the VPC. Set network, or set hot_tier to null."
  }
  validation {
    condition     = var.hot_tier == null || contains(["ipv6", "nat"], try(var.network.egress, "endpoints"))
    error_message = "hot_tier needs network.egress = \"ipv6\" or \"nat\": chat, inside, must reach model and sockets."
  }
}

variable "api" {
  description = <<-EOT
    The HTTP and the WebSocket API.
    `rate` (requests per second) and `burst` apply to each of the two, `authorizer_ttl_seconds` is how long the
    authorizer's answer for a key is reused, `gateway_url` is the address of a gateway other than AWS's. `tenant`
    limits each tenant that has no rates of its own (ADR 40).
  EOT
  type = object({
    rate                   = optional(number)
    burst                  = optional(number)
    authorizer_ttl_seconds = optional(number, 60)
    gateway_url            = optional(string)
    tenant = optional(object({
      requests_per_second = optional(number, 10)
      events_per_second   = optional(number, 100)
    }), {})
  })
  default = {}

  validation {
    condition     = min(var.api.tenant.requests_per_second, var.api.tenant.events_per_second) > 0
    error_message = "api.tenant.requests_per_second and api.tenant.events_per_second must be greater than 0."
  }
  validation {
    condition     = var.api.rate == null || var.api.tenant.requests_per_second < coalesce(var.api.rate, 1)
    error_message = "api.tenant.requests_per_second must be below api.rate, or one tenant can use up the gateway."
  }
}

variable "protection" {
  description = <<-EOT
    How data is protected and how long it is kept.
    `protected` refuses deletion, `tls_only` refuses plain HTTP, `recovery_days` is how far back tables can be
    restored, `archive_retention_days` how long the bus's archive keeps events. An episode is copied to S3
    `quiet_days` after its day began, leaves DynamoDB after `hot_days`, and changes its storage class by `tiers`. An
    erasure checks every store again after `erasure_settle_seconds`, when no run that started before it can still be
    at work (ADR 50).
  EOT
  type = object({
    protected              = optional(bool, true)
    tls_only               = optional(bool, true)
    recovery_days          = optional(number, 7)
    archive_retention_days = optional(number, 30)
    quiet_days             = optional(number, 1)
    hot_days               = optional(number, 30)
    erasure_settle_seconds = optional(number, 1080)
    tiers = optional(list(object({
      after_days    = number
      storage_class = string
    })))
  })
  default = {}

  validation {
    condition     = var.protection.quiet_days >= 0 && var.protection.hot_days >= var.protection.quiet_days
    error_message = "protection.quiet_days must be 0 or more, and protection.hot_days at least quiet_days."
  }
}

variable "operations" {
  description = "How long logs are kept, and the SNS topic that receives alarms; null makes no alarms."
  type = object({
    log_retention_days = optional(number, 30)
    alarm_topic_arn    = optional(string)
  })
  default = {}
}
