# Each hour's run tries again what the one before had to leave, and each night's: three in a row need somebody.
resource "aws_cloudwatch_metric_alarm" "problems" {
  count = try(var.alarm.topic_arn, null) != null ? 1 : 0

  alarm_name          = "${var.alarm.prefix}-problems"
  alarm_description   = "Episodes have not been copied to the archive, or its objects not merged, three hours running: nothing is lost, the table grows."
  namespace           = "membus"
  metric_name         = "ArchiveProblems"
  dimensions          = { service = "archive", environment = var.alarm.environment }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60 * 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm.topic_arn]
}
