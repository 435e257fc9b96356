# Every run retries what the run before could not do; three failures in a row need an operator.
resource "aws_cloudwatch_metric_alarm" "problems" {
  count = try(var.alarm.topic_arn, null) != null ? 1 : 0

  alarm_name          = "${var.alarm.prefix}-problems"
  alarm_description   = "The archiver has failed for three hours. Nothing is lost; the table grows."
  namespace           = "membus"
  metric_name         = "ArchiveProblems"
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60 * 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm.topic_arn]

  dimensions = {
    service     = "archive"
    environment = var.alarm.environment
  }
}
