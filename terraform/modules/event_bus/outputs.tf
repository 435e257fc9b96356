output "name" {
  description = "Name of the bus, for a function's environment."
  value       = aws_cloudwatch_event_bus.this.name
}

output "queue_urls" {
  description = "Every queue by its name without prefix: routes, their dead-letter queues, the bus's own, parking."
  value       = { for name, queue in merge(aws_sqs_queue.end, aws_sqs_queue.route) : name => queue.url }
}

output "queue_arns" {
  description = "The same queues by ARN, for destinations and event-source mappings."
  value       = { for name, queue in merge(aws_sqs_queue.end, aws_sqs_queue.route) : name => queue.arn }
}

output "grants" {
  description = "IAM statements: `put` events on the bus, `consume` a route, `send` to a parking queue."
  value = {
    put = [{ Effect = "Allow", Action = ["events:PutEvents"], Resource = [aws_cloudwatch_event_bus.this.arn] }]
    consume = { for route, queue in aws_sqs_queue.route : route => [{
      Effect   = "Allow"
      Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"]
      Resource = [queue.arn]
    }] }
    send = { for name in var.parking : name => [{
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = [aws_sqs_queue.end[name].arn]
    }] }
  }
}
