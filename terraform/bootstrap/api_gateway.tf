# Once per account and region: API Gateway logs REST and WebSocket APIs by one role of the account, and refuses a stage
# with an access log while the account names none (HTTP APIs need no role).
resource "aws_iam_role" "api_gateway_logs" {
  count = var.api_gateway_logs_role_arn == null ? 1 : 0

  name        = "membus-api-gateway-logs"
  description = "API Gateway of this account writes its logs by this role"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.api_gateway_logs_role_arn == null ? 1 : 0

  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}

# A destroy leaves the setting as it is (the provider resets it only if asked): other APIs of the account log by it.
resource "aws_api_gateway_account" "this" {
  cloudwatch_role_arn = try(aws_iam_role.api_gateway_logs[0].arn, var.api_gateway_logs_role_arn)

  # API Gateway tries the role, so its policy must be there first.
  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}
