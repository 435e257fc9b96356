resource "aws_dynamodb_table" "this" {
  for_each = var.tables

  name                        = "${var.prefix}-${each.key}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.hash_key
  range_key                   = each.value.range_key
  stream_enabled              = each.value.stream
  stream_view_type            = each.value.stream ? "NEW_AND_OLD_IMAGES" : null
  deletion_protection_enabled = var.protected

  dynamic "attribute" {
    for_each = toset(concat(
      compact([each.value.hash_key, each.value.range_key]),
      flatten([for index in each.value.indexes : [index.hash_key, index.range_key]]),
    ))
    content {
      name = attribute.value
      type = "S"
    }
  }

  dynamic "global_secondary_index" {
    for_each = each.value.indexes
    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value.hash_key
      range_key       = global_secondary_index.value.range_key
      projection_type = global_secondary_index.value.projection
    }
  }

  ttl {
    enabled        = true
    attribute_name = each.value.ttl_attribute
  }

  point_in_time_recovery {
    enabled                 = var.protected
    recovery_period_in_days = var.protected ? var.recovery_days : null
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.key_arn
  }
}
