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

run "the_cost_has_a_limit" {
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
    error_message = "Functions must log in by role, over TLS."
  }
  assert {
    condition = (
      !strcontains(aws_elasticache_user.functions.access_string, "~*")
      && strcontains(aws_elasticache_user.functions.access_string, "-@all")
    )
    error_message = "Functions may run only the listed commands, on tenants' keys."
  }
  assert {
    condition = (
      output.grants.connect[0].Action == ["elasticache:Connect"]
      && length(output.grants.connect[0].Resource) == 2
    )
    error_message = "`connect` must name the cache and the user."
  }
  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.clients :
      rule.referenced_security_group_id == "sg-functions"
    ])
    error_message = "Only functions may connect to the cache."
  }
}

run "the_cache_has_no_snapshots" {
  assert {
    condition = (
      aws_elasticache_serverless_cache.this.snapshot_retention_limit == 0
      && aws_elasticache_serverless_cache.this.engine == "valkey"
    )
    error_message = "There must be no snapshots: each would be one more copy to erase."
  }
}

run "reaching_a_limit_raises_an_alarm" {
  variables { alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
  assert {
    condition     = aws_cloudwatch_metric_alarm.throttled[0].metric_name == "ThrottledCmds"
    error_message = "A cache that rejects commands must raise an alarm."
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

run "a_cache_that_nobody_reaches_raises_an_alarm" {
  command = plan
  variables { alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.away[0].dimensions == tomap({ environment = "test" })
      && aws_cloudwatch_metric_alarm.away[0].metric_name == "HotTierAway"
    )
    error_message = "Everything works without the cache, so only an alarm tells that it is away."
  }
}
