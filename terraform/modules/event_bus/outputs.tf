# A name or an ARN in a policy needs no queue to exist, and a queue takes half a minute to settle: functions need not wait for it.
output "name" {
  description = "Name of the bus, for a function's environment."
  value       = local.bus_name
}

output "queue_urls" {
  description = "Every queue by its name without prefix: routes, their surplus and dead-letter queues, the bus's own, parking."
  value       = { for name, queue in merge(aws_sqs_queue.end, aws_sqs_queue.route) : name => queue.url }
}

output "end_names" {
  description = "Names, without prefix, of the queues where messages end: dead letters and parking."
  value       = keys(local.ends)
}

output "message_days" {
  description = "For how long a message that nobody takes lies in the queue where messages end."
  value       = local.end_days
}

output "queue_arns" {
  description = "The same queues by ARN, for destinations and event-source mappings."
  value       = { for name, queue in merge(aws_sqs_queue.end, aws_sqs_queue.route) : name => queue.arn }
}

output "grants" {
  description = "IAM statements: `put` events on the bus, `consume` a route, `send` to a parking queue or a route's dead-letter queue."
  value = {
    # To look through the queues where messages end, and to remove from them; whoever waits for itself, or sets aside, sends to its own.
    search = [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      Resource = [for name in keys(local.ends) : "${local.queue_arn}-${name}"]
    }]
    wait = { for route in keys(local.waiting) : route => [{ Effect = "Allow", Action = ["sqs:SendMessage"], Resource = ["${local.queue_arn}-${route}"] }] }
    put  = [{ Effect = "Allow", Action = ["events:PutEvents"], Resource = [local.bus_arn] }]
    consume = { for route in keys(local.waiting) : route => [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = ["${local.queue_arn}-${route}"]
    }] }
    send = { for name in setunion(var.parking, [for route in keys(var.routes) : "${route}-dlq"]) : name => [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = ["${local.queue_arn}-${name}"]
    }] }
  }
}
