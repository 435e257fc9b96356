variable "name" {
  description = "Name of the function, prefix included."
  type        = string
}

variable "code" {
  description = "What runs: the built zip, its entry point and the layers it needs."
  type = object({
    path         = string
    handler      = string
    layer_arns   = list(string)
    runtime      = optional(string, "python3.13")
    architecture = optional(string, "arm64")
    snap_start   = optional(bool, false)
  })

  validation {
    condition     = length(var.code.layer_arns) <= 5
    error_message = "Lambda takes at most five layers."
  }
}

variable "limits" {
  description = "How large, how long and how often at once; reserved concurrency -1 shares the account's."
  type = object({
    timeout_seconds      = number
    memory_mb            = optional(number, 512)
    storage_mb           = optional(number, 512)
    reserved_concurrency = optional(number, -1)
  })

  validation {
    condition     = var.limits.timeout_seconds >= 1 && var.limits.timeout_seconds <= 900
    error_message = "Lambda runs 1 to 900 seconds."
  }
}

variable "environment" {
  description = "Environment variables; no secrets, only their ids."
  type        = map(string)
}

variable "grants" {
  description = "IAM statements that the role is built from, as handed out by the modules that own the resources."
  type = list(object({
    Effect    = string
    Action    = list(string)
    Resource  = list(string)
    Condition = optional(map(map(list(string))), {})
  }))

  validation {
    condition     = alltrue([for grant in var.grants : grant.Effect == "Allow"])
    error_message = "A grant allows."
  }
  validation {
    condition     = !anytrue(flatten([for grant in var.grants : [for action in grant.Action : strcontains(action, "*")]]))
    error_message = "A grant names its actions one by one, without `*`."
  }
  validation {
    condition     = !anytrue(flatten([for grant in var.grants : [for resource in grant.Resource : resource == "*" || endswith(resource, ":*")]]))
    error_message = "A grant names its resources, never `*`."
  }
}

variable "queues" {
  description = "Queues whose messages invoke the function, by route."
  type = map(object({
    arn                        = string
    visibility_timeout_seconds = number
    batch_size                 = optional(number, 10)
    window_seconds             = optional(number, 1)
    maximum_concurrency        = optional(number, 10)
  }))
  default = {}

  validation {
    condition = alltrue([for queue in var.queues :
      queue.visibility_timeout_seconds >= 6 * var.limits.timeout_seconds + queue.window_seconds
    ])
    error_message = "A message must stay hidden for at least six times the function's timeout plus the batching window, or a slow batch is delivered twice."
  }
  validation {
    condition     = alltrue([for queue in var.queues : queue.maximum_concurrency >= 2 && queue.maximum_concurrency <= 1000])
    error_message = "Lambda takes a maximum concurrency of 2 to 1000."
  }
}

variable "streams" {
  description = <<-EOT
    Streams whose changes invoke the function, by table: which changes (`patterns`, any of them), how many at once, how many
    shards' batches side by side, and when a change that keeps failing is given up: it would hold up all behind it.
  EOT
  type = map(object({
    arn             = string
    patterns        = list(string)
    batch_size      = optional(number, 100)
    window_seconds  = optional(number, 0)
    parallelization = optional(number, 1)
    retries         = optional(number, 10000)
    max_age_seconds = optional(number, 21600)
  }))
  default = {}

  validation {
    condition     = alltrue([for stream in var.streams : stream.max_age_seconds >= 60 && stream.max_age_seconds <= 86400])
    error_message = "A stream keeps a change for a day: give one up after 60 to 86400 seconds."
  }
  validation {
    condition     = alltrue([for stream in var.streams : stream.retries >= 0 && stream.retries <= 10000])
    error_message = "Lambda retries 0 to 10000 times; without a number it would do so until the stream forgets."
  }
  validation {
    condition     = alltrue(flatten([for stream in var.streams : [for pattern in stream.patterns : can(jsondecode(pattern))]]))
    error_message = "A pattern is a JSON document."
  }
}

variable "network" {
  description = "Subnets and security groups, for a function that talks to something inside the VPC."
  type        = object({ subnet_ids = list(string), security_group_ids = list(string) })
  default     = null
}

variable "operations" {
  description = <<-EOT
    How long logs are kept, which queue takes what failed for good (a grant lets the function send there), and which SNS topic is
    told of alarms; without one there are none. `errors_are_answers` where a function raises to say no, as an authorizer does:
    then no alarm counts its errors, or anybody with a wrong key could ring it.
  EOT
  type = object({
    log_retention_days = number
    failures_arn       = string
    alarm_topic_arn    = optional(string)
    errors_are_answers = optional(bool, false)
  })

  validation {
    condition     = var.operations.log_retention_days > 0
    error_message = "0 would keep logs for ever."
  }
}
