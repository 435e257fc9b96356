resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "v1"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.throttling.rate
    throttling_burst_limit = var.throttling.burst
  }

  # No headers and no messages: they contain credentials and user content.
  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.this.arn
    format = jsonencode({
      request_id        = "$context.requestId"
      at                = "$context.requestTimeEpoch"
      event             = "$context.eventType"
      route             = "$context.routeKey"
      status            = "$context.status"
      connection_id     = "$context.connectionId"
      integration_ms    = "$context.integrationLatency"
      integration_error = "$context.integrationErrorMessage"
      authorizer_error  = "$context.authorizer.error"
      tenant_id         = "$context.authorizer.tenant_id"
      key_id            = "$context.authorizer.key_id"
      source_ip         = "$context.identity.sourceIp"
    })
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.operations.log_retention_days
}

locals {
  alarms = {
    failures = {
      metric      = "IntegrationError"
      description = "Messages to ${var.name} fail. The access log names the route, chat's log the reason."
    }
    refusals = {
      metric      = "ExecutionError"
      description = "${var.name} fails before its function runs. Check the authorizer and the stage's throttling."
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.operations.alarm_topic_arn == null ? {} : local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ApiGateway"
  metric_name         = each.value.metric
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.operations.alarm_topic_arn]

  dimensions = {
    ApiId = aws_apigatewayv2_api.this.id
    Stage = aws_apigatewayv2_stage.this.name
  }
}
