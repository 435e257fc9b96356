output "name" {
  description = "Name of the function."
  value       = aws_lambda_function.this.function_name
}

output "target" {
  description = "How to invoke the function: its name, its alias (null without one) and its URI for API Gateway."
  value = {
    name       = aws_lambda_function.this.function_name
    qualifier  = local.qualifier
    invoke_arn = coalesce(one(aws_lambda_alias.live[*].invoke_arn), aws_lambda_function.this.invoke_arn)
  }
}

output "policy" {
  description = "The function's permissions: its one inline policy as JSON."
  value       = local.policy
}

output "arn" {
  description = "ARN of the function, without alias."
  value       = aws_lambda_function.this.arn
}
