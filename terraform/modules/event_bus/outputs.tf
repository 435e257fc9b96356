# Names and ARNs are computed: a policy can name a queue before it exists, and functions need not wait for the half
# minute that a new queue takes.
locals {
  queues = merge(aws_sqs_queue.dead_letter, aws_sqs_queue.route)
}

output "name" {
  description = "Name of the bus, for a function's environment."
  value       = local.bus_name
}

output "queue_urls" {
  description = "URL of every queue by its name without prefix: routes, their overflow queues, dead-letter queues."
  value       = { for name, queue in local.queues : name => queue.url }
}

output "queue_arns" {
  description = "The same queues by ARN, for destinations and event-source mappings."
  value       = { for name, queue in local.queues : name => queue.arn }
}

output "dead_letter_names" {
  description = "Names of the dead-letter queues, without prefix."
  value       = keys(local.dead_letters)
}

output "dead_letter_days" {
  description = "How many days a dead-letter queue keeps a message."
  value       = local.dead_letter_days
}

output "grants" {
  description = <<-EOT
    IAM statements: `put` events on the bus; by queue name, `consume` a route or its overflow queue, `requeue` to
    it, and `send` to a dead-letter queue; `search` all dead-letter queues and delete from them.
  EOT
  value = {
    put = [{
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = [local.bus_arn]
    }]

    search = [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      Resource = [for name in keys(local.dead_letters) : "${local.queue_arn}-${name}"]
    }]

    consume = { for name in keys(local.consumed) : name => [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = ["${local.queue_arn}-${name}"]
    }] }

    requeue = { for name in keys(local.consumed) : name => [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = ["${local.queue_arn}-${name}"]
    }] }

    send = { for name in setunion(var.dead_letter_queues, [for route in keys(var.routes) : "${route}-dlq"]) : name => [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = ["${local.queue_arn}-${name}"]
    }] }
  }
}
