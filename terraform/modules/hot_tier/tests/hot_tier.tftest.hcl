mock_provider "aws" {
  mock_resource "aws_elasticache_serverless_cache" {
    defaults = {
      arn      = "arn:aws:elasticache:us-east-1:123456789012:serverlesscache:membus-test-hot"
      endpoint = [{ address = "hot.internal", port = 6379 }]
    }
  }
  mock_resource "aws_elasticache_user" {
    defaults = { arn = "arn:aws:elasticache:us-east-1:123456789012:user:membus-test-hot" }
  }
}

variables {
  prefix  = "membus-test"
  network = { vpc_id = "vpc-a", subnet_ids = ["subnet-a", "subnet-b"], client_security_group_id = "sg-functions" }
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
}

run "the_bill_has_a_ceiling" {
  variables { limits = { storage_gb = 2, ecpu_per_second = 1000 } }
  assert {
    condition = (
      aws_elasticache_serverless_cache.this.cache_usage_limits[0].data_storage[0].maximum == 2
      && one(aws_elasticache_serverless_cache.this.cache_usage_limits[0].ecpu_per_second).maximum == 1000
    )
    error_message = "The caller's limits must reach the cache."
  }
}

run "functions_log_in_by_role_over_tls" {
  assert {
    condition = (
      aws_elasticache_user.functions.authentication_mode[0].type == "iam"
      && output.url == "rediss://hot.internal:6379"
    )
    error_message = "No password, no plain text."
  }
  assert {
    condition = (
      !strcontains(aws_elasticache_user.functions.access_string, "~*")
      && strcontains(aws_elasticache_user.functions.access_string, "-@all")
    )
    error_message = "Functions name each command and reach tenants' keys only: no FLUSHALL, no KEYS."
  }
  assert {
    condition = (
      output.grants.connect[0].Action == ["elasticache:Connect"]
      && length(output.grants.connect[0].Resource) == 2
    )
    error_message = "Connecting names the cache and the user."
  }
  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.clients :
      rule.referenced_security_group_id == "sg-functions"
    ])
    error_message = "Only functions reach the cache."
  }
}

run "nothing_is_kept_that_can_be_read_again" {
  assert {
    condition = (
      aws_elasticache_serverless_cache.this.snapshot_retention_limit == 0
      && aws_elasticache_serverless_cache.this.engine == "valkey"
    )
    error_message = "A cache's snapshot would be one more copy to erase."
  }
}

run "somebody_is_told_of_the_ceiling" {
  variables { alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
  assert {
    condition     = aws_cloudwatch_metric_alarm.throttled[0].metric_name == "ThrottledCmds"
    error_message = "A cache that refuses commands is no cache."
  }
}

run "a_limit_below_elasticaches_is_refused" {
  command = plan
  variables { limits = { ecpu_per_second = 500 } }
  expect_failures = [var.limits]
}
run "no_storage_is_refused" {
  command = plan
  variables { limits = { storage_gb = 0 } }
  expect_failures = [var.limits]
}
