# Something of a user was left after three rounds of an erasure: somebody writes without asking the ledger (ADR 50).
resource "aws_cloudwatch_metric_alarm" "erasures_failed" {
  count = var.operations.alarm_topic_arn == null ? 0 : 1

  alarm_name          = "${local.prefix}-erasures-failed"
  alarm_description   = "An erasure left something behind. The log of erase names the store."
  namespace           = "membus"
  metric_name         = "ErasuresFailed"
  dimensions          = { environment = var.environment }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations.alarm_topic_arn]
}
