output "url" {
  description = "URL of the API, without a slash at the end; `/v1/…` follows."
  value       = trimsuffix(aws_apigatewayv2_stage.this.invoke_url, "/")
}

output "route_scopes" {
  description = "The scope of each route by route key, for the authorizer; public routes are absent."
  value       = { for route, operation in local.operations : route => operation.scope if !operation.public }
}
