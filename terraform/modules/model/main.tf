# Terraform makes the secret empty: an operator stores the API key, which never passes through Terraform or its state.
resource "aws_secretsmanager_secret" "this" {
  count = var.vendor == "anthropic" ? 1 : 0

  name                    = "${var.prefix}-model"
  description             = "API key of the model's vendor, as plain text"
  kms_key_id              = var.key_arn
  recovery_window_in_days = var.protected ? 7 : 0
}
