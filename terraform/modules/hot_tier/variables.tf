variable "prefix" {
  description = "Prepended to every name, e.g. `membus-prod`."
  type        = string
}

variable "network" {
  description = "VPC and subnets of the cache, and the security group that may connect."
  type = object({
    vpc_id                   = string
    subnet_ids               = list(string)
    client_security_group_id = string
  })
}

variable "limits" {
  description = "Limits of storage and of commands, which also limit the cost."
  type = object({
    storage_gb      = optional(number, 5)
    ecpu_per_second = optional(number, 5000)
  })
  default = {}

  validation {
    condition     = var.limits.storage_gb >= 1 && var.limits.storage_gb <= 5000
    error_message = "limits.storage_gb must be 1 to 5000, ElastiCache Serverless's limits."
  }
  validation {
    condition     = var.limits.ecpu_per_second >= 1000 && var.limits.ecpu_per_second <= 15000000
    error_message = "limits.ecpu_per_second must be 1000 to 15000000, ElastiCache Serverless's limits."
  }
}

variable "key_arn" {
  description = "KMS key that encrypts the content of the cache."
  type        = string
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms for throttling and for silence; null makes no alarms."
  type        = string
  default     = null
}
