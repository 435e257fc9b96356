# What AWS would answer, as far as a plan of the platform reads it.
mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}
mock_data "aws_partition" {
  defaults = { partition = "aws" }
}
mock_data "aws_region" {
  defaults = { name = "us-east-1" }
}

mock_resource "aws_sqs_queue" {
  defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:some-queue" }
}
mock_resource "aws_cloudwatch_event_bus" {
  defaults = { arn = "arn:aws:events:us-east-1:123456789012:event-bus/membus-test-bus" }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::123456789012:role/some-role" }
}
mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:some-function" }
}
mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:function:some-function:live" }
}
mock_resource "aws_lambda_layer_version" {
  defaults = { arn = "arn:aws:lambda:us-east-1:123456789012:layer:some-layer:1" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:some-group" }
}
mock_resource "aws_apigatewayv2_api" {
  defaults = { execution_arn = "arn:aws:execute-api:us-east-1:123456789012:api" }
}
mock_resource "aws_apigatewayv2_stage" {
  defaults = { invoke_url = "https://api.execute-api.us-east-1.amazonaws.com/" }
}
mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:us-east-1:123456789012:key/some-key" }
}
mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::membus-test-archive-123456789012" }
}
mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:some-secret" }
}
mock_resource "aws_rds_cluster" {
  defaults = {
    endpoint           = "cluster.internal"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds" }]
  }
}
mock_resource "aws_db_proxy_default_target_group" {
  defaults = { name = "default" }
}
mock_resource "aws_elasticache_user" {
  defaults = { arn = "arn:aws:elasticache:us-east-1:123456789012:user:membus-test-hot" }
}
mock_resource "aws_elasticache_serverless_cache" {
  defaults = {
    arn      = "arn:aws:elasticache:us-east-1:123456789012:serverlesscache:membus-test-hot"
    endpoint = [{ address = "hot.internal", port = 6379 }]
  }
}

override_resource {
  target = module.tables.aws_dynamodb_table.this["memory"]
  values = {
    arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-memory"
    stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-memory/stream/2026-11-20"
  }
}
override_resource {
  target = module.tables.aws_dynamodb_table.this["conversations"]
  values = {
    arn        = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-conversations"
    stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-conversations/stream/2026-11-20"
  }
}
override_resource {
  target = module.tables.aws_dynamodb_table.this["tenants"]
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-tenants" }
}
override_resource {
  target = module.tables.aws_dynamodb_table.this["idempotency"]
  values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-idempotency" }
}
override_resource {
  target = module.keys.aws_kms_key.cursors
  values = { arn = "arn:aws:kms:us-east-1:123456789012:key/cursors" }
}
override_resource {
  target = module.model.aws_secretsmanager_secret.this
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:model" }
}
override_resource {
  target = module.vector_store.aws_secretsmanager_secret.app
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app" }
}
override_resource {
  target = module.vector_store.aws_secretsmanager_secret.owner
  values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:owner" }
}
