locals {
  alarms = {
    errors = {
      metric      = "Errors"
      statistic   = "Sum"
      threshold   = 0
      description = "${var.name} fails. Read the reason in its log; the failed work is in a dead-letter queue."
    }
    throttles = {
      metric      = "Throttles"
      statistic   = "Sum"
      threshold   = 0
      description = "${var.name} is throttled. Raise the account's concurrency or the function's share of it."
    }
    slow = {
      metric      = "Duration"
      statistic   = "Maximum"
      threshold   = var.limits.timeout_seconds * 1000 * 0.9
      description = "${var.name} took over 90 % of its timeout. Work that reaches the timeout is stopped and repeated."
    }
    behind = {
      metric      = "IteratorAge"
      statistic   = "Maximum"
      threshold   = 10 * 60 * 1000
      description = "${var.name} is ten minutes behind its stream. Changes expire after six hours."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    for name, alarm in local.alarms : name => alarm
    if(
      var.operations.alarm_topic_arn != null
      && !(name == "errors" && var.operations.raises_by_design)
      && !(name == "slow" && var.operations.works_to_deadline)
      && !(name == "behind" && length(var.triggers.streams) == 0)
    )
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/Lambda"
  metric_name         = each.value.metric
  dimensions          = { FunctionName = var.name }
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations.alarm_topic_arn]
}
