variable "name" {
  description = "Name of the bucket. Bucket names are global to AWS: include the account's id."
  type        = string
}

variable "tiers" {
  description = "Storage classes by the age in days at which an object moves there. None may be slow to read."
  type = list(object({
    after_days    = number
    storage_class = string
  }))
  nullable = false
  default = [
    {
      after_days    = 30
      storage_class = "INTELLIGENT_TIERING"
    },
    {
      after_days    = 365
      storage_class = "GLACIER_IR"
    },
  ]

  validation {
    condition = alltrue([for tier in var.tiers :
      contains(["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR"], tier.storage_class)
    ])
    error_message = "tiers: storage_class must be STANDARD_IA, INTELLIGENT_TIERING or GLACIER_IR, which answer at once."
  }
}

variable "noncurrent_days" {
  description = "How many days a replaced or deleted version is kept; an erasure deletes versions itself."
  type        = number
  default     = 7

  validation {
    condition     = var.noncurrent_days > 0
    error_message = "noncurrent_days must be greater than 0, or old versions would be kept for ever."
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
  description = "Refuse plain HTTP; only an emulator on loopback needs it."
  type        = bool
  default     = true
}

variable "alarm" {
  description = <<-EOT
    The alarm for an archiver that has failed for hours: the `prefix` of its name, the `environment` whose metric it
    watches, and the SNS topic that receives it; without a topic there is no alarm.
  EOT
  type = object({
    prefix      = string
    environment = string
    topic_arn   = optional(string)
  })
  default = null
}
