locals {
  bus_name = "${var.prefix}-bus"
  bus_arn  = "arn:${var.account.partition}:events:${local.location}:event-bus/${local.bus_name}"
  location = "${var.account.region}:${var.account.id}"

  # ARNs are computed from names: a policy can name a queue that does not exist yet, so all queues are made at once.
  queue_arn = "arn:${var.account.partition}:sqs:${local.location}:${var.prefix}"
  rule_arns = { for route in keys(var.routes) :
    route => "arn:${var.account.partition}:events:${local.location}:rule/${local.bus_name}/${var.prefix}-${route}"
  }

  # Dead-letter queues by name, with the EventBridge resource that sends to each; "" where SQS or a function's role
  # sends.
  dead_letters = merge(
    { bus-dlq = local.bus_arn },
    { for route, rule_arn in local.rule_arns : "${route}-rule-dlq" => rule_arn },
    { for route in keys(var.routes) : "${route}-dlq" => "" },
    { for name in var.dead_letter_queues : name => "" },
  )

  # The maximum that SQS keeps a message: an operator has two weeks.
  dead_letter_days = 14

  # Queues that invoke a consumer: each route's own, and its overflow queue, which shares the route's dead-letter queue.
  routed = { for route, settings in var.routes : route => merge(settings, { dead_letter_queue = "${route}-dlq" }) }
  overflow = { for route, settings in local.routed :
    "${route}-surplus" => settings if settings.overflow
  }
  consumed = merge(local.routed, local.overflow)

  senders = merge(local.dead_letters, local.rule_arns, { for name in keys(local.overflow) : name => "" })
  policies = { for name, source_arn in local.senders : name => [
    for statement in [
      {
        when      = source_arn != ""
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Condition = { ArnEquals = { "aws:SourceArn" = source_arn } }
      },
      {
        when      = var.tls_only
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      ] : {
      Effect    = statement.Effect
      Principal = statement.Principal
      Action    = statement.Action
      Resource  = "${local.queue_arn}-${name}"
      Condition = statement.Condition
    } if statement.when
  ] }

  # Null where a queue needs no policy: IAM refuses an empty list of statements.
  policy_documents = { for name, statements in local.policies : name => length(statements) == 0 ? null : jsonencode({
    Version   = "2012-10-17"
    Statement = statements
  }) }
}

# SQS encrypts the queues with its own key. With a customer-managed key, delivery to a queue and to its dead-letter
# queue would depend on that key's policy, and a mistake there loses events.
resource "aws_sqs_queue" "dead_letter" {
  for_each = local.dead_letters

  name                      = "${var.prefix}-${each.key}"
  message_retention_seconds = local.dead_letter_days * 24 * 3600
  sqs_managed_sse_enabled   = true
  policy                    = local.policy_documents[each.key]
}

moved {
  from = aws_sqs_queue.end
  to   = aws_sqs_queue.dead_letter
}

resource "aws_sqs_queue" "route" {
  for_each = local.consumed

  name                       = "${var.prefix}-${each.key}"
  visibility_timeout_seconds = each.value.visibility_timeout_seconds
  message_retention_seconds  = 4 * 24 * 3600
  sqs_managed_sse_enabled    = true
  policy                     = local.policy_documents[each.key]
}

# A resource of its own: redrive needs both queues to exist, and both are made at the same time.
resource "aws_sqs_queue_redrive_policy" "route" {
  for_each = local.consumed

  queue_url = aws_sqs_queue.route[each.key].url
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter[each.value.dead_letter_queue].arn
    maxReceiveCount     = each.value.max_receive_count
  })
}
