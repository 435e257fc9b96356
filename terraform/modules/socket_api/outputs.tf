locals {
  public = trimsuffix(aws_apigatewayv2_stage.this.invoke_url, "/")
  own    = var.gateway_url == null ? null : "${var.gateway_url}/${aws_apigatewayv2_api.this.id}/${aws_apigatewayv2_stage.this.name}"
}

output "url" {
  description = "Where clients connect, `wss://…` with the stage."
  value       = local.own == null ? local.public : replace(local.own, "/^http/", "ws")
}

output "push_url" {
  description = "Where frames for a connection are posted; `/@connections/…` follows."
  value       = local.own == null ? replace(local.public, "/^wss/", "https") : local.own
}

output "route_scopes" {
  description = "The scope that a connection needs, by route key, for the authorizer's environment."
  value       = { "$connect" = "chat" }
}

output "grants" {
  description = "IAM statements: `push` posts frames to connections of this stage and closes them."
  value = {
    push = [{
      Effect    = "Allow"
      Action    = ["execute-api:ManageConnections"]
      Resource  = [for method in ["POST", "DELETE"] : "${aws_apigatewayv2_api.this.execution_arn}/${aws_apigatewayv2_stage.this.name}/${method}/@connections/*"]
      Condition = {}
    }]
  }
}
