output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "target" {
  description = "How others invoke it: name, qualifier (null without alias) and the URI that API Gateway takes."
  value = {
    name       = aws_lambda_function.this.function_name
    qualifier  = local.qualifier
    invoke_arn = coalesce(one(aws_lambda_alias.live[*].invoke_arn), aws_lambda_function.this.invoke_arn)
  }
}

output "policy" {
  description = "What the function may do, as the JSON of its one inline policy."
  value       = local.policy
}

output "arn" {
  description = "ARN of the function, for whoever invokes it."
  value       = aws_lambda_function.this.arn
}
