variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "Where the bus lives. Queues and rules name each other before either exists, so that they are made side by side."
  type        = object({ partition = string, region = string, id = string })
}

variable "routes" {
  description = <<-EOT
    Consumers by name: events that match `pattern` (an EventBridge pattern) wait in the route's queue.
    `visibility_timeout_seconds` is at least six times the consumer's timeout plus its batching window. With `surplus` there is a
    second queue beside it, `<route>-surplus`, for what its consumer sets aside so that others need not wait (ADR 40).
  EOT
  type = map(object({
    pattern                    = string
    visibility_timeout_seconds = number
    max_receive_count          = optional(number, 5)
    surplus                    = optional(bool, false)
  }))

  validation {
    condition     = length(var.routes) > 0
    error_message = "A bus without a route drops every event in silence."
  }
  validation {
    condition     = alltrue([for route in var.routes : can(jsondecode(route.pattern))])
    error_message = "A pattern is a JSON document."
  }
  validation {
    condition     = alltrue([for route in var.routes : route.max_receive_count >= 5])
    error_message = "Throttled pollers count as receives too: below 5, healthy messages end in the dead-letter queue."
  }
}

variable "parking" {
  description = "Queues that functions themselves send to: what they could not handle waits there for an operator."
  type        = set(string)
  default     = []
}

variable "archive_retention_days" {
  description = "How long the archive keeps every event for replay; it cannot delete one event, so this bounds erasure too."
  type        = number

  validation {
    condition     = var.archive_retention_days > 0
    error_message = "0 would keep events for ever."
  }
}

variable "tls_only" {
  description = "Refuse plain HTTP at the queues; an emulator on loopback speaks nothing else."
  type        = bool
  default     = true
}

variable "alarms" {
  description = "Who is told (null: no alarms), and how long the oldest message of a route may wait before somebody is."
  type        = object({ topic_arn = optional(string), max_age_seconds = optional(number, 600) })
  default     = {}
}
