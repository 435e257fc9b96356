mock_provider "aws" {
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/proxy" }
  }
  mock_resource "aws_db_proxy_default_target_group" {
    defaults = { name = "default" }
  }
  mock_resource "aws_db_proxy" {
    defaults = { endpoint = "proxy.internal" }
  }
  mock_resource "aws_rds_cluster" {
    defaults = {
      endpoint           = "cluster.internal"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds" }]
    }
  }
}

variables {
  prefix  = "membus-test"
  network = { vpc_id = "vpc-a", subnet_ids = ["subnet-a", "subnet-b"], client_security_group_id = "sg-functions" }
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
}

run "an_idle_cluster_costs_nothing" {
  assert {
    condition = (
      aws_rds_cluster.this[0].serverlessv2_scaling_configuration[0].min_capacity == 0
      && aws_rds_cluster.this[0].serverlessv2_scaling_configuration[0].seconds_until_auto_pause == 300
    )
    error_message = "By default the cluster must pause after five minutes."
  }
  assert {
    condition     = length(aws_db_proxy.this) == 0 && output.pooled.host == "cluster.internal"
    error_message = "By default there must be no proxy: it keeps the cluster awake."
  }
}

run "a_proxy_pools_for_functions_and_leaves_migrations_alone" {
  variables { cluster = { proxy = true, min_acu = 0.5 } }
  assert {
    condition     = output.pooled.host == "proxy.internal" && output.writer.host == "cluster.internal"
    error_message = "Functions connect to the proxy, migrations to the cluster."
  }
  assert {
    condition = (
      aws_db_proxy.this[0].require_tls
      && one(aws_db_proxy.this[0].auth).secret_arn == aws_secretsmanager_secret.app.arn
    )
    error_message = "The proxy knows the functions' login only, and only with TLS."
  }
  assert {
    condition     = aws_db_proxy_default_target_group.this[0].connection_pool_config[0].connection_borrow_timeout == 5
    error_message = "A caller must get an error within seconds, not wait for a connection."
  }
  assert {
    condition = (
      jsondecode(aws_iam_role_policy.proxy[0].policy).Statement[0].Resource
      == aws_secretsmanager_secret.app.arn
    )
    error_message = "The proxy reads one secret."
  }
}

run "passwords_are_not_made_by_terraform" {
  assert {
    condition     = aws_rds_cluster.this[0].manage_master_user_password && length(aws_secretsmanager_secret.owner) == 0
    error_message = "RDS must make and rotate the owner's password."
  }
  assert {
    condition = output.secret_ids == {
      owner = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds"
      app   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app"
    }
    error_message = "Two logins, for owner and functions."
  }
  assert {
    condition     = output.grants.app[0].Resource == [aws_secretsmanager_secret.app.arn]
    error_message = "A grant must cover one login only."
  }
  assert {
    condition     = aws_secretsmanager_secret_version.app.secret_string == null
    error_message = "The functions' password is write-only."
  }
}

run "the_cluster_is_protected_and_encrypted" {
  assert {
    condition     = aws_rds_cluster.this[0].deletion_protection && !aws_rds_cluster.this[0].skip_final_snapshot
    error_message = "The cluster must be protected, and leave a snapshot when it is deleted."
  }
  assert {
    condition = (
      aws_rds_cluster.this[0].storage_encrypted
      && aws_rds_cluster.this[0].kms_key_id == var.key_arn
      && aws_rds_cluster.this[0].backup_retention_period == 7
    )
    error_message = "Storage is encrypted and backed up."
  }
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.clients["functions"].referenced_security_group_id == "sg-functions"
      && keys(aws_vpc_security_group_ingress_rule.clients) == ["functions"]
    )
    error_message = "Only functions may connect."
  }
}

run "reaching_a_limit_raises_an_alarm" {
  variables { alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" }
  assert {
    condition     = aws_cloudwatch_metric_alarm.capacity[0].metric_name == "ACUUtilization"
    error_message = "A cluster at its limit must raise an alarm."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.waiting[0].threshold == 21600
    error_message = "A text without a vector must raise an alarm."
  }
}

run "a_proxy_before_a_pausing_cluster_is_refused" {
  command = plan
  variables { cluster = { proxy = true, min_acu = 0 } }
  expect_failures = [var.cluster]
}

run "a_floor_above_the_ceiling_is_refused" {
  command = plan
  variables { cluster = { min_acu = 8, max_acu = 4 } }
  expect_failures = [var.cluster]
}

run "pausing_sooner_than_aurora_can_is_refused" {
  command = plan
  variables { cluster = { auto_pause_seconds = 60 } }
  expect_failures = [var.cluster]
}

run "the_engine_follows_its_major_version" {
  command = plan
  assert {
    condition = (
      aws_rds_cluster.this[0].engine_version == "17"
      && aws_rds_cluster_instance.this["0"].engine_version == "17"
    )
    error_message = "AWS withdraws minor versions: a pinned one can soon no longer be made, or plans a downgrade."
  }
}

run "a_pinned_minor_version_is_refused" {
  command = plan
  variables { cluster = { engine_version = "17.5" } }
  expect_failures = [var.cluster]
}

run "an_engine_without_iterative_scans_is_refused" {
  command = plan
  variables { cluster = { engine_version = "15" } }
  expect_failures = [var.cluster]
}

run "logs_of_the_server_expire" {
  command = plan
  variables { cluster = { log_days = 5 } }
  assert {
    condition = (
      aws_cloudwatch_log_group.postgresql[0].name == "/aws/rds/cluster/membus-test-vectors/postgresql"
      && aws_cloudwatch_log_group.postgresql[0].retention_in_days == 5
      && output.log_days == 5
    )
    error_message = "RDS makes a missing group without retention, and an error's detail quotes a row: a user's words."
  }
}

run "an_unprotected_cluster_can_be_destroyed_and_made_again" {
  command = plan
  variables { protected = false }
  assert {
    condition = (
      !aws_rds_cluster.this[0].deletion_protection
      && aws_rds_cluster.this[0].skip_final_snapshot
      && aws_secretsmanager_secret.app.recovery_window_in_days == 0
    )
    error_message = "No snapshot and no secret may keep a name that the next apply needs."
  }
}

run "the_last_snapshot_has_a_name_of_its_own" {
  command = plan
  variables { key_arn = "arn:aws:kms:us-east-1:123456789012:key/made-later" }
  assert {
    condition = (
      aws_rds_cluster.this[0].final_snapshot_identifier
      == "membus-test-vectors-final-${substr(sha256("arn:aws:kms:us-east-1:123456789012:key/made-later"), 0, 8)}"
    )
    error_message = "An environment that is made and deleted twice must leave two snapshots."
  }
}
