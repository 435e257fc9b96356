mock_provider "aws" {
  override_resource {
    target = aws_secretsmanager_secret.app
    values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app" }
  }
  override_resource {
    target = aws_secretsmanager_secret.owner
    values = { arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:owner" }
  }
}

variables {
  prefix    = "membus-test"
  key_arn   = "arn:aws:kms:us-east-1:123456789012:key/data"
  protected = false
  external = {
    host           = "127.0.0.1"
    port           = 5433
    database       = "laptop"
    owner_username = "ada"
    owner_password = "secret"
  }
}

run "an_external_server_replaces_the_cluster_and_nothing_else" {
  assert {
    condition = (
      (
        length(aws_rds_cluster.this)
        + length(aws_rds_cluster_instance.this)
        + length(aws_security_group.this)
        + length(aws_db_proxy.this)
      )
      == 0
    )
    error_message = "With an external server there must be no cluster."
  }
  assert {
    condition = (
      output.writer == { host = "127.0.0.1", port = 5433, database = "laptop" }
      && output.pooled == output.writer
    )
    error_message = "The outputs must name the external server."
  }
  assert {
    condition = output.secret_ids == {
      owner = "arn:aws:secretsmanager:us-east-1:123456789012:secret:owner"
      app   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app"
    }
    error_message = "The two logins must exist with an external server too."
  }
  assert {
    condition = (
      jsondecode(nonsensitive(aws_secretsmanager_secret_version.owner[0].secret_string))
      == { username = "ada", password = "secret" }
    )
    error_message = "The owner's login must be that of the external server."
  }
  assert {
    condition     = aws_secretsmanager_secret.app.recovery_window_in_days == 0
    error_message = "An unprotected secret must be deleted at once, so that its name is free again."
  }
}

run "neither_network_nor_external_is_refused" {
  command = plan
  variables { external = null }
  expect_failures = [var.network]
}

run "both_network_and_external_are_refused" {
  command = plan
  variables { network = { vpc_id = "v", subnet_ids = ["a"], client_security_group_id = "s" } }
  expect_failures = [var.network]
}
