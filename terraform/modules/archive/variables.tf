variable "name" {
  description = "Name of the bucket. Bucket names are global to AWS, so it carries the account's id."
  type        = string
}

variable "tiers" {
  description = "Storage classes by the age in days at which an object moves there. Reads merge hot and cold, so every class answers at once."
  type        = list(object({ after_days = number, storage_class = string }))
  nullable    = false
  default = [
    { after_days = 30, storage_class = "INTELLIGENT_TIERING" },
    { after_days = 365, storage_class = "GLACIER_IR" },
  ]

  validation {
    condition     = alltrue([for tier in var.tiers : contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], tier.storage_class)])
    error_message = "Only classes that answer within milliseconds: STANDARD_IA, INTELLIGENT_TIERING, GLACIER_IR."
  }
}

variable "noncurrent_days" {
  description = "How long a replaced or deleted version can be brought back; erasure removes versions itself."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days > 0
    error_message = "Old versions must go at some time."
  }
}

variable "key_arn" {
  description = "KMS key that encrypts the objects."
  type        = string
}

variable "protected" {
  description = "Refuse to delete the bucket while it holds objects."
  type        = bool
  default     = true
}

variable "tls_only" {
  description = "Refuse plain HTTP; an emulator on loopback speaks nothing else."
  type        = bool
  default     = true
}

variable "alarm" {
  description = "What rings where the archiver leaves episodes or objects as they are for hours: the alarm's `prefix`, the environment whose metric it watches, the SNS topic that is told; without one there is none."
  type        = object({ prefix = string, environment = string, topic_arn = optional(string) })
  default     = null
}
