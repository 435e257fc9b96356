locals {
  name     = "${var.prefix}-hot"
  endpoint = aws_elasticache_serverless_cache.this.endpoint[0]
}

resource "aws_elasticache_serverless_cache" "this" {
  name                     = local.name
  description              = "The live half hour of conversations; everything in it can be read again from DynamoDB"
  engine                   = "valkey"
  major_engine_version     = "8"
  kms_key_id               = var.key_arn
  subnet_ids               = var.network.subnet_ids
  security_group_ids       = [aws_security_group.this.id]
  user_group_id            = aws_elasticache_user_group.this.user_group_id
  snapshot_retention_limit = 0

  cache_usage_limits {
    data_storage {
      maximum = var.limits.storage_gb
      unit    = "GB"
    }
    ecpu_per_second {
      maximum = var.limits.ecpu_per_second
    }
  }
}

# Functions log in with their role, without a stored password. They can read, write and delete keys of tenants'
# conversations, and query the slots of the cluster.
resource "aws_elasticache_user" "functions" {
  user_id       = local.name
  user_name     = local.name
  engine        = "valkey"
  access_string = "on ~{T#* -@all +get +set +del +ping +command +client|setinfo +cluster|slots"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = local.name
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.functions.user_id]
}

resource "aws_security_group" "this" {
  name        = local.name
  description = "The hot tier: functions connect"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = {
    primary = 6379
    reader  = 6380
  }

  security_group_id            = aws_security_group.this.id
  description                  = "Valkey, ${each.key} endpoint, from functions"
  referenced_security_group_id = var.network.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_cloudwatch_metric_alarm" "throttled" {
  count = var.alarm_topic_arn == null ? 0 : 1

  alarm_name          = "${local.name}-throttled"
  alarm_description   = "The hot tier is at its limit and rejects commands; reads go to DynamoDB. Raise its limits."
  namespace           = "AWS/ElastiCache"
  metric_name         = "ThrottledCmds"
  dimensions          = { clusterId = local.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}

# A function that gets no answer asks DynamoDB for half a minute, and counts it. One such minute is a failover.
resource "aws_cloudwatch_metric_alarm" "away" {
  count = var.alarm_topic_arn == null ? 0 : 1

  alarm_name          = "${local.name}-away"
  alarm_description   = "Functions do not reach the hot tier, or it answers too late; reads go to DynamoDB."
  namespace           = "membus"
  metric_name         = "HotTierAway"
  dimensions          = { environment = trimprefix(var.prefix, "membus-") }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}
