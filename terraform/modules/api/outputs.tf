output "url" {
  description = "Where the API answers, without a slash at the end; `/v1/…` follows."
  value       = trimsuffix(aws_apigatewayv2_stage.this.invoke_url, "/")
}

output "route_scopes" {
  description = "The scope that each route needs, by route key; public routes are absent. For the authorizer's environment."
  value       = { for route, operation in local.operations : route => operation.scope if !operation.public }
}
