resource "aws_cloudwatch_event_bus" "this" {
  name = local.bus_name

  dead_letter_config {
    arn = aws_sqs_queue.dead_letter["bus-dlq"].arn
  }
}

resource "aws_cloudwatch_event_archive" "this" {
  name             = "${var.prefix}-events"
  description      = "Every event, for replay"
  event_source_arn = aws_cloudwatch_event_bus.this.arn
  retention_days   = var.archive_retention_days
}

resource "aws_cloudwatch_event_rule" "route" {
  for_each = var.routes

  name           = "${var.prefix}-${each.key}"
  description    = "What ${each.key} consumes"
  event_bus_name = aws_cloudwatch_event_bus.this.name
  event_pattern  = each.value.pattern
}

resource "aws_cloudwatch_event_target" "route" {
  for_each = var.routes

  rule           = aws_cloudwatch_event_rule.route[each.key].name
  event_bus_name = aws_cloudwatch_event_bus.this.name
  target_id      = "queue"
  arn            = aws_sqs_queue.route[each.key].arn

  dead_letter_config {
    arn = aws_sqs_queue.dead_letter["${each.key}-rule-dlq"].arn
  }
}
