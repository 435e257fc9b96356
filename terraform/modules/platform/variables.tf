variable "environment" {
  description = "Name of the environment; every resource is called `membus-<environment>-…`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "Two to twelve lower-case letters and digits: it becomes part of bucket and key names."
  }
}

variable "runtime" {
  description = <<-EOT
    What the functions are built from and how they run: the build's output directory, log level, variables that every function
    gets on top of its own, how many batches extract works on at once (of what tenants send beyond their share half as many), how
    many events a second of one tenant each of them reads before others' (`extract_share`, ADR 40), which functions start from a snapshot, for how long a
    state lives whose writer does not say, over how many partitions one day of one agent is spread (ADR 15; never lower it), and
    from how many vectors on a scope gets an approximate index (ADR 19).
  EOT
  type = object({
    artifacts           = string
    log_level           = optional(string, "INFO")
    extra_environment   = optional(map(string), {})
    extract_concurrency = optional(number, 10), extract_share = optional(number, 0.5)
    snap_start          = optional(set(string), [])
    state_lifetime_days = optional(number, 30), episode_shards = optional(number, 1), large_scope_rows = optional(number, 20000)
  })

  validation {
    condition     = var.runtime.state_lifetime_days >= 1 && var.runtime.state_lifetime_days <= 365
    error_message = "A state lives a day to a year: the bucket forgets large ones after that."
  }
  validation {
    condition     = var.runtime.extract_share > 0
    error_message = "Of each tenant something is read at once."
  }
  validation {
    condition     = var.runtime.episode_shards >= 1 && var.runtime.episode_shards <= 32
    error_message = "Every read of a day asks each of its shards: 1 to 32."
  }
}

variable "model" {
  description = <<-EOT
    Who answers (`anthropic` or `bedrock`, then with the ARNs that may be invoked), which model each function asks and which one
    where that is away (none unless named), and Bedrock's embedding models: the first is in use, others may be filled in beside it.
    `prices` (dollars per million tokens) come before those of `membus/domain/prices.json`, which knows no Bedrock prices of Claude.
  EOT
  type = object({
    vendor              = string
    extract_id          = string
    chat_id             = string
    summarize_id        = string
    extract_fallback_id = optional(string, "")
    chat_fallback_id    = optional(string, "")
    bedrock_arns        = optional(list(string), [])
    embedding_ids       = optional(list(string), ["amazon.titan-embed-text-v2:0"])
    prices = optional(list(object({
      model  = string, since = string, above_tokens = optional(number, 0)
      input  = number, output = number, cache_read = number, cache_write = number
      source = string
    })), [])
  })
}

variable "network" {
  description = "Zones of the VPC that Aurora and the hot tier live in, and whether `egress` leads out of it; null where Postgres is external."
  type        = object({ availability_zones = list(string), cidr = optional(string, "10.40.0.0/16"), egress = optional(bool, false) })
  default     = null
}

variable "postgres" {
  description = "Either a `cluster` (Aurora Serverless v2; see vector_store) or an `external` server."
  type = object({
    cluster = optional(object({
      engine_version     = optional(string)
      min_acu            = optional(number)
      max_acu            = optional(number)
      auto_pause_seconds = optional(number)
      instances          = optional(number)
      proxy              = optional(bool)
      backup_days        = optional(number)
    }), {})
    external = optional(object({ host = string, port = number, database = string, owner_username = string, owner_password = string }))
  })
}

variable "hot_tier" {
  description = "Ceilings of the cache in front of DynamoDB; null goes without."
  type        = object({ storage_gb = optional(number), ecpu_per_second = optional(number) })
  default     = null

  validation {
    condition     = var.hot_tier == null || var.network != null
    error_message = "The hot tier lives in a network."
  }
  validation {
    condition     = var.hot_tier == null || try(var.network.egress, false)
    error_message = "With a hot tier chat runs inside the network; network.egress leads to the sockets it speaks to, and to its model."
  }
}

variable "api" {
  description = <<-EOT
    Requests per second and burst, of requests and of sockets each, for how long the authorizer's answer to a key is reused,
    and where a gateway answers that is not AWS's. `tenant` is what one tenant may send, unless it has rates of its own (ADR 40).
  EOT
  type = object({
    rate   = optional(number), burst = optional(number), authorizer_ttl_seconds = optional(number, 60), gateway_url = optional(string)
    tenant = optional(object({ requests_per_second = optional(number, 10), events_per_second = optional(number, 100) }), {})
  })
  default = {}

  validation {
    condition     = min(var.api.tenant.requests_per_second, var.api.tenant.events_per_second) > 0 && (var.api.rate == null || var.api.tenant.requests_per_second < coalesce(var.api.rate, 1))
    error_message = "A tenant may send something, and less than the gateway takes of all, or one leaves nothing to the others."
  }
}

variable "protection" {
  description = <<-EOT
    What keeps data: deletion protection, plain HTTP refused, how far back tables and the bus's archive go, and the tiers of episodes: `quiet_days` after
    it began a day is copied to the archive, `hot_days` it stays in DynamoDB, `tiers` are the archive's storage classes by age.
    An erasure looks at every store again after `erasure_settle_seconds`: no run that had not heard of it lasts longer (ADR 33).
  EOT
  type = object({
    protected              = optional(bool, true)
    tls_only               = optional(bool, true)
    recovery_days          = optional(number, 7)
    archive_retention_days = optional(number, 30)
    quiet_days             = optional(number, 1)
    hot_days               = optional(number, 30)
    erasure_settle_seconds = optional(number, 1080)
    tiers                  = optional(list(object({ after_days = number, storage_class = string })))
  })
  default = {}

  validation {
    condition     = var.protection.quiet_days >= 0 && var.protection.hot_days >= var.protection.quiet_days
    error_message = "Episodes stay hot at least until they are copied."
  }
}

variable "operations" {
  description = "How long logs are kept and which SNS topic is told of alarms; without one there are none."
  type        = object({ log_retention_days = optional(number, 30), alarm_topic_arn = optional(string) })
  default     = {}
}
