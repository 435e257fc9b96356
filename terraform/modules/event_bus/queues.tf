locals {
  bus_name  = "${var.prefix}-bus"
  place     = "${var.account.region}:${var.account.id}"
  bus_arn   = "arn:${var.account.partition}:events:${local.place}:event-bus/${local.bus_name}"
  queue_arn = "arn:${var.account.partition}:sqs:${local.place}:${var.prefix}"
  rule_arns = { for route in keys(var.routes) : route => "arn:${var.account.partition}:events:${local.place}:rule/${local.bus_name}/${var.prefix}-${route}" }

  # The queues where messages end, with what EventBridge resource may send there; "" where SQS or a role does.
  ends = merge(
    { bus-dlq = local.bus_arn },
    { for route, rule_arn in local.rule_arns : "${route}-rule-dlq" => rule_arn },
    { for route in keys(var.routes) : "${route}-dlq" => "" },
    { for name in var.parking : name => "" },
  )

  # As long as SQS keeps a message at all: an operator has two weeks.
  end_days = 14

  # A surplus queue is fed by its consumer, which has a role, and gives up where its route does.
  surplus = { for route, settings in var.routes : "${route}-surplus" => merge(settings, { ends_in = "${route}-dlq" }) if settings.surplus }
  waiting = merge({ for route, settings in var.routes : route => merge(settings, { ends_in = "${route}-dlq" }) }, local.surplus)

  policies = { for name, source_arn in merge(local.ends, local.rule_arns, { for name in keys(local.surplus) : name => "" }) : name => [
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
}

# Encrypted by SQS itself: delivery into a queue with a customer-managed key hangs on that key's policy, for the queue and
# its DLQ alike, and a slip there loses events.
resource "aws_sqs_queue" "end" {
  for_each = local.ends

  name                      = "${var.prefix}-${each.key}"
  message_retention_seconds = local.end_days * 24 * 3600
  sqs_managed_sse_enabled   = true
  policy                    = length(local.policies[each.key]) == 0 ? null : jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
}

resource "aws_sqs_queue" "route" {
  for_each = local.waiting

  name                       = "${var.prefix}-${each.key}"
  visibility_timeout_seconds = each.value.visibility_timeout_seconds
  message_retention_seconds  = 4 * 24 * 3600
  sqs_managed_sse_enabled    = true
  policy                     = length(local.policies[each.key]) == 0 ? null : jsonencode({ Version = "2012-10-17", Statement = local.policies[each.key] })
}

# Apart from the queue, so that both queues settle side by side.
resource "aws_sqs_queue_redrive_policy" "route" {
  for_each = local.waiting

  queue_url = aws_sqs_queue.route[each.key].url
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.end[each.value.ends_in].arn
    maxReceiveCount     = each.value.max_receive_count
  })
}
