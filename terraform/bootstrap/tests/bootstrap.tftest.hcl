mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::membus-state-123456789012" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/state" }
  }
}

variables {
  account_id = "123456789012"
}

run "state_is_private_encrypted_and_can_be_brought_back" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "membus-state-123456789012"
    error_message = "The bucket's name must contain the account."
  }
  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled"
    error_message = "The bucket must keep versions, so that an overwritten state can be restored."
  }
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.state.block_public_acls,
      aws_s3_bucket_public_access_block.state.block_public_policy,
      aws_s3_bucket_public_access_block.state.ignore_public_acls,
      aws_s3_bucket_public_access_block.state.restrict_public_buckets,
    ])
    error_message = "State holds secrets: public access is blocked in all four ways."
  }
  assert {
    condition = aws_kms_key.state.enable_key_rotation && one(flatten([
      for rule in aws_s3_bucket_server_side_encryption_configuration.state.rule :
      rule.apply_server_side_encryption_by_default[*].sse_algorithm
    ])) == "aws:kms"
    error_message = "State must be encrypted with a key of its own."
  }
}

run "plain_http_is_refused" {
  command = plan

  override_resource {
    target          = aws_s3_bucket.state
    override_during = plan
    values          = { arn = "arn:aws:s3:::membus-state-123456789012" }
  }
  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.state.policy).Statement[0].Condition.Bool["aws:SecureTransport"]
      == "false"
    )
    error_message = "State must be accessible over TLS only."
  }
}

run "an_account_id_that_is_none_is_refused" {
  command = plan
  variables { account_id = "membus" }
  expect_failures = [var.account_id]
}

run "forgetting_old_states_within_days_is_refused" {
  command = plan
  variables { noncurrent_days = 7 }
  expect_failures = [var.noncurrent_days]
}

run "api_gateway_may_write_logs_before_a_stage_asks_it_to" {
  command = plan

  override_resource {
    target          = aws_iam_role.api_gateway_logs
    override_during = plan
    values          = { arn = "arn:aws:iam::123456789012:role/membus-api-gateway-logs" }
  }
  assert {
    condition = (
      aws_api_gateway_account.this.cloudwatch_role_arn == aws_iam_role.api_gateway_logs[0].arn
      && jsondecode(aws_iam_role.api_gateway_logs[0].assume_role_policy).Statement[0].Principal == {
        Service = "apigateway.amazonaws.com"
      }
      && endswith(
        aws_iam_role_policy_attachment.api_gateway_logs[0].policy_arn,
        "AmazonAPIGatewayPushToCloudWatchLogs",
      )
    )
    error_message = "API Gateway refuses a WebSocket stage with an access log unless the account names a role."
  }
  assert {
    condition     = output.api_gateway_logs_role_arn == aws_api_gateway_account.this.cloudwatch_role_arn
    error_message = "The role must be in the outputs, for further regions."
  }
}

run "a_role_that_the_account_has_is_adopted" {
  command = plan
  variables { api_gateway_logs_role_arn = "arn:aws:iam::123456789012:role/made-by-others" }
  assert {
    condition = (
      aws_api_gateway_account.this.cloudwatch_role_arn == "arn:aws:iam::123456789012:role/made-by-others"
      && length(aws_iam_role.api_gateway_logs) == 0
    )
    error_message = "An existing role must stay the account's role, and no second one may be made."
  }
}

run "an_arn_that_is_no_role_is_refused" {
  command = plan
  variables { api_gateway_logs_role_arn = "membus-api-gateway-logs" }
  expect_failures = [var.api_gateway_logs_role_arn]
}
