locals {
  operations = merge([for path, item in jsondecode(var.openapi).paths : {
    for method, operation in item : "${upper(method)} ${path}" => {
      function = operation["x-membus-function"]
      scope    = try(operation["x-membus-scope"], null)
      public   = try(length(operation.security) == 0, false)
    } if contains(["get", "put", "post", "patch", "delete"], method)
  }]...)

  # A path variable of the gateway matches a whole segment, so `{user}:erase` and `{user}:export` share the route
  # `{user}`. The function reads the verb, and the authorizer's policy distinguishes the two. Nothing documents that
  # HTTP APIs take a colon in a route key: `facts:batch` has the route `{collection}`.
  routes = { for name, operation in local.operations :
    replace(replace(name, "/}:\\w+$/", "}"), "/\\/\\w+:\\w+$/", "/{collection}") => operation...
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "this" {
  for_each = var.targets

  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = each.value.invoke_arn
  payload_format_version = "2.0"
  timeout_milliseconds   = 30000
}

resource "aws_apigatewayv2_route" "this" {
  for_each = local.routes

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this[each.value[0].function].id}"
  authorization_type = each.value[0].public ? "NONE" : "CUSTOM"
  authorizer_id      = each.value[0].public ? null : aws_apigatewayv2_authorizer.this.id

  lifecycle {
    precondition {
      condition     = alltrue([for operation in each.value : operation.public == (operation.scope == null)])
      error_message = "${each.key} must either name a scope or be public (`security: []`). Correct the document."
    }
    precondition {
      condition     = length(distinct([for operation in each.value : [operation.function, operation.public]])) == 1
      error_message = "Operations that share ${each.key} must have one function and be all public or all not."
    }
  }
}

# A request that matches no route gets a 404 with a code and a request id; without a valid key it gets a 401 instead.
resource "aws_apigatewayv2_route" "fallback" {
  api_id             = aws_apigatewayv2_api.this.id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.this[var.fallback].id}"
  authorization_type = "CUSTOM"
  authorizer_id      = aws_apigatewayv2_authorizer.this.id
}

# Tenant and scopes depend on the credential alone, so the credential alone is the key of the cache.
resource "aws_apigatewayv2_authorizer" "this" {
  api_id                            = aws_apigatewayv2_api.this.id
  name                              = "${var.name}-key"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = var.authorizer.target.invoke_arn
  authorizer_payload_format_version = "2.0"
  authorizer_result_ttl_in_seconds  = var.authorizer.ttl_seconds
  enable_simple_responses           = false
  identity_sources                  = ["$request.header.Authorization"]

  # A REQUEST authorizer has none; the local emulator reports an empty one.
  lifecycle {
    ignore_changes = [jwt_configuration]
  }
}

resource "aws_lambda_permission" "target" {
  for_each = var.targets

  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = each.value.name
  qualifier     = each.value.qualifier
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}

resource "aws_lambda_permission" "authorizer" {
  statement_id  = "api-authorizer"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = var.authorizer.target.name
  qualifier     = var.authorizer.target.qualifier
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/authorizers/${aws_apigatewayv2_authorizer.this.id}"
}
