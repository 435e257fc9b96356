output "data_arn" {
  description = "Key of tables, buckets, secrets and databases."
  value       = aws_kms_key.data.arn
}

output "cursors_id" {
  description = "HMAC key of page cursors, for a function's environment."
  value       = aws_kms_key.cursors.key_id
}

output "grants" {
  description = "IAM statements by key and verb. A cursor is verified by signing it again, so `sign` is enough."
  value = {
    cursors = {
      sign = [{
        Effect   = "Allow"
        Action   = ["kms:GenerateMac"]
        Resource = [aws_kms_key.cursors.arn]
      }]
    }
  }
}
