output "backend" {
  description = "Values for `terraform init -backend-config=…` of an environment, one key=value a line."
  value = join("\n", [
    "bucket=${aws_s3_bucket.state.bucket}",
    "kms_key_id=${aws_kms_key.state.arn}",
  ])
}
