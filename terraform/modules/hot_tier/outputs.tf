output "url" {
  description = "Where the cache answers, with TLS."
  value       = "rediss://${aws_elasticache_serverless_cache.this.endpoint[0].address}:${aws_elasticache_serverless_cache.this.endpoint[0].port}"
}

output "username" {
  description = "Whom functions log in as, with a token signed by their role."
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
