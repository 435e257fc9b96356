locals {
  writer = {
    host     = local.managed ? one(aws_rds_cluster.this[*].endpoint) : var.external.host
    port     = local.managed ? 5432 : var.external.port
    database = local.managed ? local.database : var.external.database
  }
  owner_secret_arn = (
    local.managed
    ? one(aws_rds_cluster.this[*].master_user_secret[0].secret_arn)
    : one(aws_secretsmanager_secret.owner[*].arn)
  )

  secret_arns = {
    owner = local.owner_secret_arn
    app   = aws_secretsmanager_secret.app.arn
  }
}

output "writer" {
  description = "Host, port and database of the server itself, for migrations: a proxy would pin their session locks."
  value       = local.writer
}

output "pooled" {
  description = "The same through the proxy, where there is one, for every other function."
  value       = merge(local.writer, { for proxy in aws_db_proxy.this : "host" => proxy.endpoint })
}

output "secret_ids" {
  description = "Secrets that hold `{username, password}` as JSON: `owner` of the schema, `app` for functions."
  value       = local.secret_arns
}

output "log_days" {
  description = "For how many days the log of the cluster is kept; 0 for an external server."
  value       = local.managed ? var.cluster.log_days : 0
}

output "grants" {
  description = "IAM statements: read the `owner` or the `app` login."
  value = { for login, arn in local.secret_arns : login => [{
    Effect   = "Allow"
    Action   = ["secretsmanager:GetSecretValue"]
    Resource = [arn]
  }] }
}

output "ready" {
  description = "Known once the server accepts connections and both logins exist; depend on it before connecting."
  value = {
    instances = [for instance in aws_rds_cluster_instance.this : instance.id]
    logins = concat(
      [aws_secretsmanager_secret_version.app.version_id],
      aws_secretsmanager_secret_version.owner[*].version_id,
    )
  }
}
