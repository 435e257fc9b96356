resource "aws_cloudwatch_metric_alarm" "ended" {
  for_each = { for name, queue in aws_sqs_queue.end : name => queue if var.alarms.topic_arn != null }

  alarm_name          = "${each.value.name}-not-empty"
  alarm_description   = "Messages wait in ${each.value.name} for an operator: read one, mend the cause, redrive."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = each.value.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = { for name, queue in aws_sqs_queue.route : name => queue if var.alarms.topic_arn != null }

  alarm_name          = "${each.value.name}-falls-behind"
  alarm_description   = "The oldest message of ${each.value.name} waits too long: its consumer fails, is throttled or is too slow."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = contains(keys(local.surplus), each.key) ? 6 * var.alarms.max_age_seconds : var.alarms.max_age_seconds # surplus waits so that others need not
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
}

locals {
  # What a rule could deliver neither to its queue nor to its dead-letter queue is lost: an event of more than 256 KB, for one.
  undelivered = { for pair in setproduct(keys(var.routes), ["FailedInvocations", "InvocationsFailedToBeSentToDlq"]) :
    "${pair[0]}-${lower(pair[1])}" => { route = pair[0], metric = pair[1] } if var.alarms.topic_arn != null
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  for_each = local.undelivered

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "EventBridge could not deliver events of the rule ${each.value.route}; the message says to where."
  namespace           = "AWS/Events"
  metric_name         = each.value.metric
  dimensions          = { EventBusName = aws_cloudwatch_event_bus.this.name, RuleName = aws_cloudwatch_event_rule.route[each.value.route].name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
}
