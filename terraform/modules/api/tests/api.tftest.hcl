mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = { execution_arn = "arn:aws:execute-api:us-east-1:123456789012:api" }
  }
  mock_resource "aws_apigatewayv2_stage" {
    defaults = { invoke_url = "https://api.execute-api.us-east-1.amazonaws.com/" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/apigateway/membus-test-api" }
  }
}

variables {
  name    = "membus-test-api"
  openapi = file("./tests/fixtures/openapi.json")
  targets = {
    api  = { name = "membus-test-api", invoke_arn = "arn:invoke:api" }
    chat = { name = "membus-test-chat", invoke_arn = "arn:invoke:chat", qualifier = "live" }
  }
  fallback   = "api"
  authorizer = { target = { name = "membus-test-authorize", invoke_arn = "arn:invoke:authorize" } }
  operations = { log_retention_days = 30 }
}

run "routes_are_the_documents_operations" {
  assert {
    condition = keys(aws_apigatewayv2_route.this) == [
      "GET /v1/health",
      "GET /v1/users/{user}/facts",
      "POST /v1/conversations/{conversation}/messages",
      "POST /v1/events",
      "POST /v1/mcp/{user}",
      "POST /v1/users/{user}",
      "POST /v1/users/{user}/{collection}",
    ]
    error_message = "Routes must be the operations of the document; verbs after a variable share its route."
  }
  assert {
    condition = (
      aws_apigatewayv2_route.this["POST /v1/conversations/{conversation}/messages"].target
      == "integrations/${aws_apigatewayv2_integration.this["chat"].id}"
    )
    error_message = "A route must lead to the function that its operation names."
  }
}

run "an_unknown_path_needs_a_key_too" {
  assert {
    condition = (
      aws_apigatewayv2_route.fallback.route_key == "$default"
      && (
        aws_apigatewayv2_route.fallback.target
        == "integrations/${aws_apigatewayv2_integration.this["api"].id}"
      )
    )
    error_message = "An unknown path must lead to the fallback."
  }
  assert {
    condition = (
      aws_apigatewayv2_route.fallback.authorization_type == "CUSTOM"
      && aws_apigatewayv2_route.fallback.authorizer_id == aws_apigatewayv2_authorizer.this.id
    )
    error_message = "An unknown path must need a key too."
  }
}

run "only_operations_without_security_are_public" {
  assert {
    condition = [
      for key, route in aws_apigatewayv2_route.this : key
      if route.authorization_type != "CUSTOM"
    ] == ["GET /v1/health"]
    error_message = "A route without `security: []` needs a key."
  }
  assert {
    condition = output.route_scopes == {
      "GET /v1/users/{user}/facts"                     = "memory:read"
      "POST /v1/conversations/{conversation}/messages" = "chat"
      "POST /v1/events"                                = "events:write"
      "POST /v1/mcp/{user}"                            = "*"
      "POST /v1/users/{user}/facts:batch"              = "memory:write"
      "POST /v1/users/{user}:erase"                    = "admin"
      "POST /v1/users/{user}:export"                   = "memory:read"
    }
    error_message = "The output must have the scope of every route that is not public."
  }
}

run "an_answer_is_cached_by_the_credential_alone_and_for_a_minute_at_most" {
  assert {
    condition = (
      tolist(aws_apigatewayv2_authorizer.this.identity_sources)
      == tolist(["$request.header.Authorization"])
    )
    error_message = "The Authorization header alone must be the key of the cache."
  }
  assert {
    condition = (
      aws_apigatewayv2_authorizer.this.authorizer_result_ttl_in_seconds == 60
      && !aws_apigatewayv2_authorizer.this.enable_simple_responses
    )
    error_message = "An answer must be a policy, reused for a minute at most."
  }
}

run "the_log_names_routes_not_users" {
  assert {
    condition     = jsondecode(aws_apigatewayv2_stage.this.access_log_settings[0].format).route == "$context.routeKey"
    error_message = "The access log must contain the route."
  }
  assert {
    condition     = !strcontains(aws_apigatewayv2_stage.this.access_log_settings[0].format, "$context.path")
    error_message = "The access log must not contain the path: it has user ids."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The caller's retention must reach the access log."
  }
}

run "callers_are_throttled" {
  variables { throttling = { rate = 10, burst = 20 } }
  assert {
    condition = (
      aws_apigatewayv2_stage.this.default_route_settings[0].throttling_rate_limit == 10
      && aws_apigatewayv2_stage.this.default_route_settings[0].throttling_burst_limit == 20
    )
    error_message = "Rate and burst must reach the stage."
  }
}

run "only_this_api_may_invoke" {
  assert {
    condition = alltrue([
      for permission in aws_lambda_permission.target :
      permission.source_arn == "arn:aws:execute-api:us-east-1:123456789012:api/*/*"
    ])
    error_message = "Another API must not reach the functions."
  }
  assert {
    condition     = aws_lambda_permission.target["chat"].qualifier == "live"
    error_message = "The permission must name the alias that the API calls."
  }
  assert {
    condition = endswith(
      aws_lambda_permission.authorizer.source_arn,
      "/authorizers/${aws_apigatewayv2_authorizer.this.id}",
    )
    error_message = "Only the API's authorizer may invoke the authorizer's function."
  }
}

run "the_url_ends_in_no_slash" {
  assert {
    condition     = output.url == "https://api.execute-api.us-east-1.amazonaws.com"
    error_message = "The URL must not end in a slash: callers append /v1/…."
  }
}

run "a_key_that_outlives_its_revocation_by_more_than_a_minute_is_refused" {
  command = plan
  variables { authorizer = { target = { name = "a", invoke_arn = "b" }, ttl_seconds = 61 } }
  expect_failures = [var.authorizer]
}

run "an_operation_that_is_neither_scoped_nor_public_is_refused" {
  command = plan
  variables { openapi = "{\"paths\": {\"/v1/events\": {\"post\": {\"x-membus-function\": \"api\"}}}}" }
  expect_failures = [aws_apigatewayv2_route.this["POST /v1/events"]]
}

run "an_operation_that_is_both_scoped_and_public_is_refused" {
  command = plan
  variables {
    openapi = <<-EOT
      {"paths": {"/v1/events": {"post": {"x-membus-function": "api", "x-membus-scope": "chat", "security": []}}}}
    EOT
  }
  expect_failures = [aws_apigatewayv2_route.this["POST /v1/events"]]
}

run "a_document_without_paths_is_refused" {
  command = plan
  variables { openapi = "openapi: 3.1.0" }
  expect_failures = [var.openapi]
}

run "an_access_log_for_ever_is_refused" {
  command = plan
  variables { operations = { log_retention_days = 0 } }
  expect_failures = [var.operations]
}

run "a_rate_of_zero_is_refused" {
  command = plan
  variables { throttling = { rate = 0 } }
  expect_failures = [var.throttling]
}

run "failures_raise_an_alarm" {
  variables { operations = { log_retention_days = 30, alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" } }
  assert {
    condition     = aws_cloudwatch_metric_alarm.failures[0].metric_name == "5xx"
    error_message = "5xx answers must raise an alarm."
  }
}
