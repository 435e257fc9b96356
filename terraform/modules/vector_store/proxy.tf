resource "aws_db_proxy" "this" {
  count = local.proxied ? 1 : 0

  name                   = local.name
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.proxy[0].arn
  require_tls            = true
  idle_client_timeout    = 1800
  vpc_subnet_ids         = var.network.subnet_ids
  vpc_security_group_ids = [aws_security_group.this[0].id]

  auth {
    auth_scheme = "SECRETS"
    iam_auth    = "DISABLED"
    secret_arn  = aws_secretsmanager_secret.app.arn
  }
}

resource "aws_db_proxy_default_target_group" "this" {
  count = local.proxied ? 1 : 0

  db_proxy_name = aws_db_proxy.this[0].name

  # A caller gets an error after five seconds and retries; the default keeps it waiting for two minutes.
  connection_pool_config {
    connection_borrow_timeout = 5
  }
}

resource "aws_db_proxy_target" "this" {
  count = local.proxied ? 1 : 0

  db_proxy_name         = aws_db_proxy.this[0].name
  target_group_name     = aws_db_proxy_default_target_group.this[0].name
  db_cluster_identifier = aws_rds_cluster.this[0].cluster_identifier

  depends_on = [aws_rds_cluster_instance.this]
}

resource "aws_iam_role" "proxy" {
  count = local.proxied ? 1 : 0

  name = "${local.name}-proxy"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "proxy" {
  count = local.proxied ? 1 : 0

  name = "read-the-functions-login"
  role = aws_iam_role.proxy[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = aws_secretsmanager_secret.app.arn
    }]
  })
}
