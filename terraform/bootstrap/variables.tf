variable "region" {
  description = "Where the state of every environment is kept."
  type        = string
  default     = "us-east-1"
}

variable "account_id" {
  description = "The account, twelve digits: bucket names are global, so the bucket carries it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id is twelve digits."
  }
}

variable "noncurrent_days" {
  description = "How long an overwritten state can be brought back."
  type        = number
  default     = 365

  validation {
    condition     = var.noncurrent_days >= 30
    error_message = "A broken apply may be noticed weeks later."
  }
}
