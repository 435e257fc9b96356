output "url" {
  description = "URL of the cache, with TLS."
  value       = "rediss://${local.endpoint.address}:${local.endpoint.port}"
}

output "username" {
  description = "User name of the functions; the password is a token that a function's role signs."
  value       = aws_elasticache_user.functions.user_name
}

output "grants" {
  description = "IAM statements: `connect` as the functions' user."
  value = {
    connect = [{
      Effect   = "Allow"
      Action   = ["elasticache:Connect"]
      Resource = [aws_elasticache_serverless_cache.this.arn, aws_elasticache_user.functions.arn]
    }]
  }
}
