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
    error_message = "$default must exist, to answer messages without a known action."
  }
  assert {
    condition = (
      length(distinct([for route in aws_apigatewayv2_route.this : route.target])) == 1
      && aws_apigatewayv2_integration.this.integration_uri == "arn:invoke:chat"
    )
    error_message = "Chat must be the target of every route."
  }
  assert {
    condition     = aws_apigatewayv2_api.this.route_selection_expression == "$request.body.action"
    error_message = "A message's action chooses its route."
  }
}

run "a_connection_needs_a_credential" {
  assert {
    condition = (
      aws_apigatewayv2_route.this["$connect"].authorization_type == "CUSTOM"
      && aws_apigatewayv2_route.this["$connect"].authorizer_id == aws_apigatewayv2_authorizer.this.id
    )
    error_message = "Every connection must be authorized."
  }
  assert {
    condition     = output.route_scopes == { "$connect" = "chat" }
    error_message = "The output must say that a connection needs the scope `chat`."
  }
  assert {
    condition     = length(coalesce(aws_apigatewayv2_authorizer.this.identity_sources, [])) == 0
    error_message = "There must be no identity source: the gateway would require both headers."
  }
}

run "frames_go_to_connections_of_this_stage_and_nowhere_else" {
  assert {
    condition = output.grants.push[0].Resource == [
      "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/POST/@connections/*",
      "arn:aws:execute-api:us-east-1:123456789012:abc123/v1/DELETE/@connections/*",
    ]
    error_message = "`push` must permit posting and closing on this stage only."
  }
  assert {
    condition = (
      output.push_url == "https://abc123.execute-api.us-east-1.amazonaws.com/v1"
      && output.url == "wss://abc123.execute-api.us-east-1.amazonaws.com/v1"
    )
    error_message = "Clients and frames must use the same stage."
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

run "the_log_has_no_credentials_and_no_content" {
  assert {
    condition = !anytrue([
      for secret in ["header", "queryString", "body", "path"] :
      strcontains(aws_apigatewayv2_stage.this.access_log_settings[0].format, secret)
    ])
    error_message = "The log must not contain what a client sent."
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The caller's retention must reach the access log."
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
    error_message = "The permission must name this API and the alias that it calls."
  }
  assert {
    condition = endswith(
      aws_lambda_permission.authorizer.source_arn,
      "/authorizers/${aws_apigatewayv2_authorizer.this.id}",
    )
    error_message = "Only the API's authorizer may invoke the authorizer's function."
  }
}

run "failures_raise_an_alarm" {
  variables { operations = { log_retention_days = 30, alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" } }
  assert {
    condition = {
      for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.metric_name
    } == { failures = "IntegrationError", refusals = "ExecutionError" }
    error_message = "Failed messages must raise an alarm."
  }
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

run "a_gateway_with_a_slash_at_its_end_is_refused" {
  command = plan
  variables { gateway_url = "http://127.0.0.1:4566/" }
  expect_failures = [var.gateway_url]
}

run "frames_are_taken_by_ipv6_where_functions_have_nothing_else" {
  command = plan
  variables { ip_address_type = "dualstack" }
  assert {
    condition     = aws_apigatewayv2_api.this.ip_address_type == "dualstack"
    error_message = "Chat posts its frames to this API."
  }
}

run "another_kind_of_address_is_refused" {
  command = plan
  variables { ip_address_type = "ipv6" }
  expect_failures = [var.ip_address_type]
}
