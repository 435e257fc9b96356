variable "environment" {
  description = "Name of the environment; every resource is called `membus-<environment>-…`."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment must be a lower-case letter and 1 to 11 lower-case letters or digits."
  }
}

variable "runtime" {
  description = <<-EOT
    How the functions are built and run.
    `artifacts` is the build's output directory, `log_level` and `extra_environment` apply to every function (a
    variable given here replaces a function's own). `extract_concurrency` is how many batches extract processes at
    once; its overflow queue gets half as many, summarize a fifth. `reserved_concurrency` keeps a share of the
    account's concurrency for a function, by name; never for the consumer of a queue, whose messages would be
    refused and end as dead letters. `extract_share` is how many events per second of one tenant extract reads
    before other tenants' events (ADR 62). `snap_start` names the functions that start from a snapshot.
    `state_lifetime_days` is the lifetime of a state whose writer gives none. `episode_shards` is the number of
    partitions of one agent's day (ADR 15); never lower it. `large_scope_rows` is how many vectors a scope holds
    before it gets an approximate index (ADR 19).
  EOT
  type = object({
    artifacts            = string
    log_level            = optional(string, "INFO")
    extra_environment    = optional(map(string), {})
    extract_concurrency  = optional(number, 10)
    reserved_concurrency = optional(map(number), {})
    extract_share        = optional(number, 0.5)
    snap_start           = optional(set(string), [])
    state_lifetime_days  = optional(number, 30)
    episode_shards       = optional(number, 1)
    large_scope_rows     = optional(number, 20000)
  })

  validation {
    condition     = length(setsubtract(keys(var.runtime.reserved_concurrency), ["api", "authorize", "chat"])) == 0
    error_message = "runtime.reserved_concurrency may name api, authorize and chat, for which callers wait."
  }

  validation {
    condition     = var.runtime.state_lifetime_days >= 1 && var.runtime.state_lifetime_days <= 365
    error_message = "runtime.state_lifetime_days must be 1 to 365: the bucket deletes large states after a year."
  }
  validation {
    condition     = var.runtime.extract_share > 0
    error_message = "runtime.extract_share must be greater than 0 (events per second of one tenant)."
  }
  validation {
    condition     = var.runtime.episode_shards >= 1 && var.runtime.episode_shards <= 32
    error_message = "runtime.episode_shards must be 1 to 32: reading one day queries every shard."
  }
}

variable "model" {
  description = <<-EOT
    The language and embedding models.
    `vendor` is `anthropic`, or `bedrock` with the `bedrock_arns` that functions may invoke. `extract_id`, `chat_id`
    and `summarize_id` are the models of those functions; a `…_fallback_id` answers while the model is unavailable
    (none by default). The first of `embedding_ids` (Bedrock) is in use, the others may be filled in beside it.
    `prices`, in dollars per million tokens, replace those of the layer's price file, which has no Bedrock prices of
    Claude.
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
      model        = string
      since        = string
      above_tokens = optional(number, 0)
      input        = number
      output       = number
      cache_read   = number
      cache_write  = number
      source       = string
    })), [])
  })
}

variable "network" {
  description = <<-EOT
    The VPC of Aurora and the hot tier: its zones, its address range, and how functions inside reach what is outside
    (`egress`): `ipv6` costs one interface endpoint in one zone and leads everywhere, `endpoints` costs five in every
    zone and leads to AWS alone, `nat` adds NAT gateways for chat, one or `nat_per_zone`. Null where Postgres is
    external.
  EOT
  type = object({
    availability_zone_ids = list(string)
    cidr                  = optional(string, "10.40.0.0/16")
    egress                = optional(string, "endpoints")
    nat_per_zone          = optional(bool, false)
  })
  default = null
}

variable "postgres" {
  description = "Either a `cluster` (Aurora Serverless v2; see module vector_store) or an `external` server."
  type = object({
    cluster = optional(object({
      engine_version     = optional(string)
      min_acu            = optional(number)
      max_acu            = optional(number)
      auto_pause_seconds = optional(number)
      instances          = optional(number)
      proxy              = optional(bool)
      backup_days        = optional(number)
      log_days           = optional(number)
    }), {})
    external = optional(object({
      host           = string
      port           = number
      database       = string
      owner_username = string
      owner_password = string
    }))
  })
}
