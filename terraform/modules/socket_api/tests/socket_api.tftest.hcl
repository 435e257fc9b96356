mock_provider "aws" {
  mock_resource "aws_apigatewayv2_api" {
    defaults = { id = "abc123", execution_arn = "arn:aws:execute-api:us-east-1:123456789012:abc123" }
  }
  mock_resource "aws_apigatewayv2_stage" {
    defaults = { invoke_url = "wss://abc123.execute-api.us-east-1.amazonaws.com/v1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/apigateway/membus-test-socket" }
  }
}

variables {
  name       = "membus-test-socket"
  target     = { name = "membus-test-chat", invoke_arn = "arn:invoke:chat", qualifier = "live" }
  authorizer = { name = "membus-test-authorize", invoke_arn = "arn:invoke:authorize" }
  operations = { log_retention_days = 30 }
}

run "every_message_has_a_route_and_every_route_the_one_function" {
  assert {
    condition = keys(aws_apigatewayv2_route.this) == [
      "$connect",
      "$default",
      "$disconnect",
      "chat",
      "ping",
      "resume",
    ]
    error_message = "What names no known action must be told so, hence $default."
  }
  assert {
    condition = (
      length(distinct([for route in aws_apigatewayv2_route.this : route.target])) == 1
      && aws_apigatewayv2_integration.this.integration_uri == "arn:invoke:chat"
    )
    error_message = "Chat answers all of them."
  }
  assert {
    condition     = aws_apigatewayv2_api.this.route_selection_expression == "$request.body.action"
    error_message = "A message's action chooses its route."
  }
}

run "nobody_connects_without_a_credential" {
  assert {
    condition = (
      aws_apigatewayv2_route.this["$connect"].authorization_type == "CUSTOM"
      && aws_apigatewayv2_route.this["$connect"].authorizer_id == aws_apigatewayv2_authorizer.this.id
    )
    error_message = "The authorizer stands before every connection."
  }
  assert {
    condition     = output.route_scopes == { "$connect" = "chat" }
    error_message = "The authorizer learns that a connection takes the scope `chat`."
  }
  assert {
    condition     = length(coalesce(aws_apigatewayv2_authorizer.this.identity_sources, [])) == 0
    error_message = "The gateway would refuse whoever sends the credential in the other header."
  }
}

run "frames_go_to_connections_of_this_stage_and_nowhere_else" {
  assert {
    condition = output.grants.push[0].Resource == [
      "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/POST/@connections/*",
      "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/DELETE/@connections/*",
    ]
    error_message = "Post and close, on this stage."
  }
  assert {
    condition = (
      output.push_url == "https://abc123.execute-api.us-east-1.amazonaws.com/v1"
      && output.url == "wss://abc123.execute-api.us-east-1.amazonaws.com/v1"
    )
    error_message = "Clients connect to the stage, frames are posted to the same one."
  }
}

run "another_gateway_answers_by_path" {
  variables { gateway_url = "http://127.0.0.1:4566/_aws/execute-api" }
  assert {
    condition = (
      output.url == "ws://127.0.0.1:4566/_aws/execute-api/abc123/v1"
      && output.push_url == "http://127.0.0.1:4566/_aws/execute-api/abc123/v1"
    )
    error_message = "The API's id and the stage are the path of both."
  }
}

run "the_log_holds_neither_credentials_nor_words" {
  assert {
    condition = !anytrue([
      for secret in ["header", "queryString", "body", "path"] :
      strcontains(aws_apigatewayv2_stage.this.access_log_settings[0].format, secret)
    ])
    error_message = "Routes, ids and figures; nothing that a client wrote."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The access log is kept for as long as said."
  }
}

run "clients_are_throttled" {
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
    condition = (
      aws_lambda_permission.target.source_arn == "arn:aws:execute-api:us-east-1:123456789012:abc123/*/*"
      && aws_lambda_permission.target.qualifier == "live"
    )
    error_message = "Permission is given to this API, at the alias that it calls."
  }
  assert {
    condition = endswith(
      aws_lambda_permission.authorizer.source_arn,
      "/authorizers/${aws_apigatewayv2_authorizer.this.id}",
    )
    error_message = "Only the authorizer invokes the authorizer's function."
  }
}

run "somebody_is_told_of_failures" {
  variables { operations = { log_retention_days = 30, alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" } }
  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.metric_name
    } == { failures = "IntegrationError", refusals = "ExecutionError" }
    error_message = "Messages that are not taken are worth a call."
  }
}

run "an_access_log_for_ever_is_refused" {
  command = plan
  variables { operations = { log_retention_days = 0 } }
  expect_failures = [var.operations]
}

run "throttling_everybody_is_refused" {
  command = plan
  variables { throttling = { rate = 0 } }
  expect_failures = [var.throttling]
}

run "a_gateway_with_a_slash_at_its_end_is_refused" {
  command = plan
  variables { gateway_url = "http://127.0.0.1:4566/" }
  expect_failures = [var.gateway_url]
}
