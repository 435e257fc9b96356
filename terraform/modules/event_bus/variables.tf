variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "The account and region of the bus, from which ARNs are computed."
  type = object({
    partition = string
    region    = string
    id        = string
  })
}

variable "routes" {
  description = <<-EOT
    Consumers by name: events that match `pattern` (an EventBridge pattern) go to the route's queue.
    `visibility_timeout_seconds` must be at least six times the consumer's timeout plus its batching window. With
    `overflow` the route has a second queue, `<route>-surplus`: the consumer moves one tenant's excess messages
    there, so that other tenants' messages do not wait behind them (ADR 40).
  EOT
  type = map(object({
    pattern                    = string
    visibility_timeout_seconds = number
    max_receive_count          = optional(number, 5)
    overflow                   = optional(bool, false)
  }))

  validation {
    condition     = length(var.routes) > 0
    error_message = "routes must name at least one route: a bus without routes silently drops every event."
  }
  validation {
    condition     = alltrue([for route in var.routes : can(jsondecode(route.pattern))])
    error_message = "routes: every pattern must be a JSON document; write it with jsonencode."
  }
  validation {
    condition     = alltrue([for route in var.routes : route.max_receive_count >= 5])
    error_message = "routes: max_receive_count must be at least 5, or throttling alone dead-letters messages."
  }
}

variable "dead_letter_queues" {
  description = "Further dead-letter queues, to which functions themselves send the messages that they cannot process."
  type        = set(string)
  default     = []
}

variable "archive_retention_days" {
  description = "How long the archive keeps events for replay. It cannot delete one event, so an erasure waits for it."
  type        = number

  validation {
    condition     = var.archive_retention_days > 0
    error_message = "archive_retention_days must be greater than 0, which would keep events for ever."
  }
}

variable "tls_only" {
  description = "Refuse plain HTTP at the queues; only an emulator on loopback needs it."
  type        = bool
  default     = true
}

variable "alarms" {
  description = "The SNS topic that receives alarms (null: none), and the age of a route's message that raises one."
  type = object({
    topic_arn       = optional(string)
    max_age_seconds = optional(number, 600)
  })
  default = {}
}
