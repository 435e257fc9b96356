locals {
  owner = {
    Sid       = "RolesDecideByTheirOwnPolicies"
    Effect    = "Allow"
    Principal = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  # A role that may read a table, bucket or secret may use the key through that service, as with the keys that AWS
  # manages. So no role needs a second grant for the key of its data.
  through_services = {
    Sid       = "StoresUseTheKeyForTheirCallers"
    Effect    = "Allow"
    Principal = { AWS = "*" }
    Action = [
      "kms:Encrypt",
      "kms:Decrypt",
      "kms:ReEncrypt*",
      "kms:GenerateDataKey*",
      "kms:CreateGrant",
      "kms:DescribeKey",
    ]
    Resource = "*"
    Condition = {
      StringEquals = {
        "kms:CallerAccount" = var.account.id
        "kms:ViaService"    = [for store in local.stores : "${store}.${var.account.region}.amazonaws.com"]
      }
    }
  }
  stores = ["dynamodb", "elasticache", "rds", "s3", "secretsmanager"]
}

resource "aws_kms_key" "data" {
  description             = "${var.prefix}: everything users left behind, at rest"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.owner, local.through_services]
  })
}

resource "aws_kms_alias" "data" {
  name          = "alias/${var.prefix}-data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_kms_key" "cursors" {
  description              = "${var.prefix}: signs page cursors, so that a client cannot write its own"
  key_usage                = "GENERATE_VERIFY_MAC"
  customer_master_key_spec = "HMAC_256"
  deletion_window_in_days  = 7

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.owner]
  })
}

resource "aws_kms_alias" "cursors" {
  name          = "alias/${var.prefix}-cursors"
  target_key_id = aws_kms_key.cursors.key_id
}
