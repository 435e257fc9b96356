# The functions' login. Only a new `secret_string_wo_version` writes the secret. The state holds the generated
# password until the next refresh generates another, and older versions of the state file keep it: treat state as
# secret (SECURITY.md).
data "aws_secretsmanager_random_password" "app" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "app" {
  name                    = "${local.name}-app"
  description             = "Login of the functions, who own nothing and cannot bypass row security"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protected ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "app" {
  secret_id = aws_secretsmanager_secret.app.id
  secret_string_wo = jsonencode({
    username = "membus_app"
    password = data.aws_secretsmanager_random_password.app.random_password
  })
  secret_string_wo_version = 1
}

# RDS makes and rotates the secret of a cluster's owner; the owner of an external server has this one.
resource "aws_secretsmanager_secret" "owner" {
  count = local.managed ? 0 : 1

  name                    = "${local.name}-owner"
  description             = "Login of the schema's owner"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protected ? 7 : 0
}

resource "aws_secretsmanager_secret_version" "owner" {
  count = local.managed ? 0 : 1

  secret_id = aws_secretsmanager_secret.owner[0].id
  secret_string = jsonencode({
    username = var.external.owner_username
    password = var.external.owner_password
  })
}
