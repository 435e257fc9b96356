locals {
  stage_arn = "${aws_apigatewayv2_api.this.execution_arn}/${aws_apigatewayv2_stage.this.name}"

  public = trimsuffix(aws_apigatewayv2_stage.this.invoke_url, "/")
  path   = "${aws_apigatewayv2_api.this.id}/${aws_apigatewayv2_stage.this.name}"
  own    = var.gateway_url == null ? null : "${var.gateway_url}/${local.path}"
}

output "url" {
  description = "URL for clients, `wss://…` with the stage."
  value       = local.own == null ? local.public : replace(local.own, "/^http/", "ws")
}

output "push_url" {
  description = "URL to which frames are posted; `/@connections/…` follows."
  value       = local.own == null ? replace(local.public, "/^wss/", "https") : local.own
}

output "route_scopes" {
  description = "The scope of a connection by route key, for the authorizer."
  value       = { "$connect" = "chat" }
}

output "grants" {
  description = "IAM statements: `push` posts frames to connections of this stage and closes connections."
  value = {
    push = [{
      Effect    = "Allow"
      Action    = ["execute-api:ManageConnections"]
      Resource  = [for method in ["POST", "DELETE"] : "${local.stage_arn}/${method}/@connections/*"]
      Condition = {}
    }]
  }
}

output "ip_address_type" {
  description = "The kind of addresses that the API is reached by; null leaves it to the gateway."
  value       = var.ip_address_type
}
