variable "triggers" {
  description = <<-EOT
    What invokes the function: `queues` by route and `streams` by table. A change must match one of a stream's
    `patterns`; `parallelization` is the number of batches of one shard at once. A change that keeps failing blocks all
    later ones, so it goes to the failures queue after `retries` or `max_age_seconds`. `grants` are IAM statements for
    what Lambda does in the function's name: reading queues and streams, and sending to the failures queue.
  EOT
  type = object({
    queues = optional(map(object({
      arn                        = string
      visibility_timeout_seconds = number
      batch_size                 = optional(number, 10)
      window_seconds             = optional(number, 1)
      maximum_concurrency        = optional(number, 10)
    })), {})
    streams = optional(map(object({
      arn             = string
      patterns        = list(string)
      batch_size      = optional(number, 100)
      window_seconds  = optional(number, 0)
      parallelization = optional(number, 1)
      retries         = optional(number, 10000)
      max_age_seconds = optional(number, 21600)
    })), {})
    grants = optional(list(object({
      Effect    = string
      Action    = list(string)
      Resource  = list(string)
      Condition = optional(map(map(list(string))), {})
    })), [])
  })
  default = {}

  validation {
    condition = alltrue([for queue in var.triggers.queues :
      queue.visibility_timeout_seconds >= 6 * var.limits.timeout_seconds + queue.window_seconds
    ])
    error_message = "triggers.queues: visibility_timeout_seconds must be at least 6 * timeout_seconds + window_seconds."
  }
  validation {
    condition = alltrue([for queue in var.triggers.queues :
      queue.maximum_concurrency >= 2 && queue.maximum_concurrency <= 1000
    ])
    error_message = "triggers.queues: maximum_concurrency must be 2 to 1000, Lambda's limits."
  }
  validation {
    condition = alltrue([for stream in var.triggers.streams :
      stream.max_age_seconds >= 60 && stream.max_age_seconds <= 86400
    ])
    error_message = "triggers.streams: max_age_seconds must be 60 to 86400; a stream keeps a change for one day."
  }
  validation {
    condition     = alltrue([for stream in var.triggers.streams : stream.retries >= 0 && stream.retries <= 10000])
    error_message = "triggers.streams: retries must be 0 to 10000; without it Lambda retries until the change expires."
  }
  validation {
    condition = alltrue(flatten([for stream in var.triggers.streams : [
      for pattern in stream.patterns : can(jsondecode(pattern))
    ]]))
    error_message = "triggers.streams: every pattern must be a JSON document; write it with jsonencode."
  }
  validation {
    condition = alltrue(flatten([for grant in var.triggers.grants : [for action in grant.Action : contains([
      "sqs:SendMessage",
      "sqs:ReceiveMessage",
      "sqs:DeleteMessage",
      "sqs:ChangeMessageVisibility",
      "sqs:GetQueueAttributes",
      "dynamodb:DescribeStream",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:ListStreams",
    ], action)]]))
    error_message = "triggers.grants may only read queues and streams and send messages; give other grants by uses."
  }
}
