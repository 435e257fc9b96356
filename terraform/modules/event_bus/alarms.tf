resource "aws_cloudwatch_metric_alarm" "dead_letter" {
  for_each = { for name, queue in aws_sqs_queue.dead_letter : name => queue if var.alarms.topic_arn != null }

  alarm_name          = "${each.value.name}-not-empty"
  alarm_description   = "${each.value.name} holds messages. Read one, fix the cause, then redrive them."
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

moved {
  from = aws_cloudwatch_metric_alarm.ended
  to   = aws_cloudwatch_metric_alarm.dead_letter
}

locals {
  # An overflow queue may wait six times as long: that delay is its purpose.
  max_age_seconds = { for name in keys(local.consumed) :
    name => var.alarms.max_age_seconds * (contains(keys(local.overflow), name) ? 6 : 1)
  }
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = { for name, queue in aws_sqs_queue.route : name => queue if var.alarms.topic_arn != null }

  alarm_name          = "${each.value.name}-falls-behind"
  alarm_description   = "${each.value.name} falls behind. Its consumer fails, is throttled or is too slow."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = each.value.name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = local.max_age_seconds[each.key]
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]
}

locals {
  # An event that a rule could deliver neither to its queue nor to its dead-letter queue is lost, e.g. one above 256 KB.
  undelivered = { for pair in setproduct(keys(var.routes), ["FailedInvocations", "InvocationsFailedToBeSentToDlq"]) :
    "${pair[0]}-${lower(pair[1])}" => {
      route  = pair[0]
      metric = pair[1]
    } if var.alarms.topic_arn != null
  }
}

resource "aws_cloudwatch_metric_alarm" "undelivered" {
  for_each = local.undelivered

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = "EventBridge could not deliver events of the rule ${each.value.route} (${each.value.metric})."
  namespace           = "AWS/Events"
  metric_name         = each.value.metric
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarms.topic_arn]

  dimensions = {
    EventBusName = aws_cloudwatch_event_bus.this.name
    RuleName     = aws_cloudwatch_event_rule.route[each.value.route].name
  }
}
