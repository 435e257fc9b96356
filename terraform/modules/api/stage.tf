resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttling.rate
    throttling_burst_limit = var.throttling.burst
  }

  # The log has the route, not the path: paths contain user ids.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      at                = "$context.requestTimeEpoch"
      route             = "$context.routeKey"
      status            = "$context.status"
      latency_ms        = "$context.responseLatency"
      integration_ms    = "$context.integrationLatency"
      integration_error = "$context.integrationErrorMessage"
      authorizer_error  = "$context.authorizer.error"
      tenant_id         = "$context.authorizer.tenant_id"
      key_id            = "$context.authorizer.key_id"
      source_ip         = "$context.identity.sourceIp"
      response_bytes    = "$context.responseLength"
    })
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.operations.log_retention_days
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  count = var.operations.alarm_topic_arn == null ? 0 : 1

  alarm_name          = "${var.name}-failures"
  alarm_description   = "${var.name} answers 5xx. The access log names the route, the function's log the reason."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.this.id }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations.alarm_topic_arn]
}
