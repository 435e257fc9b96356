output "backend" {
  description = "Values for `terraform init -backend-config=…` of an environment, one key=value a line."
  value = join("\n", [
    "bucket=${aws_s3_bucket.state.bucket}",
    "kms_key_id=${aws_kms_key.state.arn}",
  ])
}

output "api_gateway_logs_role_arn" {
  description = "The role by which API Gateway writes logs. A further region of the account needs the same setting."
  value       = aws_api_gateway_account.this.cloudwatch_role_arn
}
