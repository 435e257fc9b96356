locals {
  managed   = nonsensitive(var.external == null)
  name      = "${var.prefix}-vectors"
  database  = "membus"
  instances = local.managed ? toset([for index in range(var.cluster.instances) : tostring(index)]) : toset([])
  proxied   = local.managed && var.cluster.proxy
}

resource "aws_db_subnet_group" "this" {
  count = local.managed ? 1 : 0

  name       = local.name
  subnet_ids = var.network.subnet_ids
}

resource "aws_rds_cluster" "this" {
  count = local.managed ? 1 : 0

  cluster_identifier     = local.name
  engine                 = "aurora-postgresql"
  engine_version         = var.cluster.engine_version
  database_name          = local.database
  db_subnet_group_name   = aws_db_subnet_group.this[0].name
  vpc_security_group_ids = [aws_security_group.this[0].id]

  master_username               = "membus_owner"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.key_arn

  storage_encrypted         = true
  kms_key_id                = var.key_arn
  backup_retention_period   = var.cluster.backup_days
  copy_tags_to_snapshot     = true
  deletion_protection       = var.protected
  skip_final_snapshot       = !var.protected
  final_snapshot_identifier = "${local.name}-final-${substr(sha256(var.key_arn), 0, 8)}" # a new key, a new name

  enabled_cloudwatch_logs_exports = ["postgresql"]

  serverlessv2_scaling_configuration {
    min_capacity             = var.cluster.min_acu
    max_capacity             = var.cluster.max_acu
    seconds_until_auto_pause = var.cluster.min_acu == 0 ? var.cluster.auto_pause_seconds : null
  }

  depends_on = [aws_cloudwatch_log_group.postgresql]
}

# RDS makes a missing log group itself, and keeps it for ever: errors quote rows, which hold users' words.
resource "aws_cloudwatch_log_group" "postgresql" {
  count = local.managed ? 1 : 0

  name              = "/aws/rds/cluster/${local.name}/postgresql"
  retention_in_days = var.cluster.log_days
}

resource "aws_rds_cluster_instance" "this" {
  for_each = local.instances

  identifier                      = "${local.name}-${each.key}"
  cluster_identifier              = aws_rds_cluster.this[0].id
  engine                          = aws_rds_cluster.this[0].engine
  engine_version                  = aws_rds_cluster.this[0].engine_version
  instance_class                  = "db.serverless"
  auto_minor_version_upgrade      = false
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.key_arn
}

resource "aws_security_group" "this" {
  count = local.managed ? 1 : 0

  name        = local.name
  description = "Aurora and its proxy: functions connect, the proxy connects on"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each = merge(
    local.managed ? { functions = var.network.client_security_group_id } : {},
    local.proxied ? { proxy = aws_security_group.this[0].id } : {},
  )

  security_group_id            = aws_security_group.this[0].id
  description                  = "PostgreSQL from ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "proxy" {
  count = local.proxied ? 1 : 0

  security_group_id            = aws_security_group.this[0].id
  description                  = "PostgreSQL from the proxy to the cluster"
  referenced_security_group_id = aws_security_group.this[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_cloudwatch_metric_alarm" "capacity" {
  count = local.managed && var.alarm_topic_arn != null ? 1 : 0

  alarm_name          = "${local.name}-at-its-ceiling"
  alarm_description   = "The cluster uses all of its ${var.cluster.max_acu} ACU and searches slow down. Raise max_acu."
  namespace           = "AWS/RDS"
  metric_name         = "ACUUtilization"
  dimensions          = { DBClusterIdentifier = local.name }
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
}

# The function migrate reports the metric every six hours, when it maintains the indexes of large scopes.
resource "aws_cloudwatch_metric_alarm" "waiting" {
  count = var.alarm_topic_arn != null ? 1 : 0

  alarm_name          = "${local.name}-wait"
  alarm_description   = "A text has waited six hours for its vector. Until then search finds it by its words only."
  namespace           = "membus"
  metric_name         = "OldestTextWaiting"
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 6 * 60 * 60
  period              = 6 * 60 * 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]

  dimensions = {
    service     = "migrate"
    environment = trimprefix(var.prefix, "membus-")
  }
}
