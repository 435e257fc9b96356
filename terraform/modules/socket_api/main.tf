locals {
  # The route is the `action` of a message; $default gets the rest and answers with an error.
  routes = toset(["$connect", "$disconnect", "chat", "resume", "ping", "$default"])
}

resource "aws_apigatewayv2_api" "this" {
  name                       = var.name
  protocol_type              = "WEBSOCKET"
  ip_address_type            = var.ip_address_type
  route_selection_expression = "$request.body.action"
}

# The function answers at once and pushes its frames later, so no integration waits for a model.
resource "aws_apigatewayv2_integration" "this" {
  api_id             = aws_apigatewayv2_api.this.id
  integration_type   = "AWS_PROXY"
  integration_uri    = var.target.invoke_arn
  integration_method = "POST"
}

# The gateway authorizes a connection once, when it opens; the authorizer's answer comes with every later message.
resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = each.key == "$connect" ? "CUSTOM" : "NONE"
  authorizer_id      = each.key == "$connect" ? aws_apigatewayv2_authorizer.this.id : null
}

# No identity source: the credential is in one of two headers, and the gateway would require both (ADR 49).
resource "aws_apigatewayv2_authorizer" "this" {
  api_id          = aws_apigatewayv2_api.this.id
  name            = "${var.name}-key"
  authorizer_type = "REQUEST"
  authorizer_uri  = var.authorizer.invoke_arn

  # A REQUEST authorizer has none; the local emulator reports an empty one.
  lifecycle {
    ignore_changes = [jwt_configuration]
  }
}

resource "aws_lambda_permission" "target" {
  statement_id  = "socket"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = var.target.name
  qualifier     = var.target.qualifier
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_lambda_permission" "authorizer" {
  statement_id  = "socket-authorizer"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = var.authorizer.name
  qualifier     = var.authorizer.qualifier
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.this.id}"
}
