output "environment" {
  description = "Variables of a function that calls the model, without the id of the model."
  value = merge(
    { MODEL_PROVIDER = var.vendor },
    { for secret in aws_secretsmanager_secret.this : "MODEL_SECRET_ID" => secret.name },
  )
}

output "secret_id" {
  description = "Secret in which an operator stores the API key; null for bedrock."
  value       = one(aws_secretsmanager_secret.this[*].name)
}

output "grants" {
  description = "IAM statements: `ask` the language model, `embed` texts."
  value = {
    embed = [{
      Effect   = "Allow"
      Action   = ["bedrock:InvokeModel"]
      Resource = var.embedding_arns
    }]
    ask = var.vendor == "anthropic" ? [{
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = aws_secretsmanager_secret.this[*].arn
      }] : [{
      Effect   = "Allow"
      Action   = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
      Resource = var.bedrock_arns
    }]
  }
}
