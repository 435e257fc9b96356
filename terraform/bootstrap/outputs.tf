output "backend" {
  description = "What `terraform init` of an environment is told with -backend-config, as key=value lines."
  value = join("\n", [
    "bucket=${aws_s3_bucket.state.bucket}",
    "kms_key_id=${aws_kms_key.state.arn}",
  ])
}
