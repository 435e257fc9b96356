variable "region" {
  description = "Region of the bucket that keeps the state of every environment."
  type        = string
  default     = "us-east-1"
}

variable "account_id" {
  description = "Id of the account, twelve digits. Bucket names are global, so the bucket's name contains it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be twelve digits, e.g. -var account_id=123456789012."
  }
}

variable "noncurrent_days" {
  description = "How many days an overwritten state is kept."
  type        = number
  default     = 365

  validation {
    condition     = var.noncurrent_days >= 30
    error_message = "noncurrent_days must be at least 30: a broken apply may be noticed weeks later."
  }
}

variable "api_gateway_logs_role_arn" {
  description = <<-EOT
    The role by which API Gateway of this account writes logs, if the account has one already: it is kept. Null makes
    one. `aws apigateway get-account --query cloudwatchRoleArn` prints it.
  EOT
  type        = string
  default     = null

  validation {
    condition = (
      var.api_gateway_logs_role_arn == null
      || can(regex("^arn:[^:]+:iam::[0-9]{12}:role/", var.api_gateway_logs_role_arn))
    )
    error_message = "api_gateway_logs_role_arn must be the ARN of a role, arn:aws:iam::<account>:role/<name>."
  }
}
