variable "prefix" {
  description = "Prepended to every name, e.g. `membus-prod`."
  type        = string
}

variable "network" {
  description = "Where the cache lives and which security group may reach it."
  type        = object({ vpc_id = string, subnet_ids = list(string), client_security_group_id = string })
}

variable "limits" {
  description = "Ceilings of what the cache may hold and do, which are ceilings of its bill."
  type        = object({ storage_gb = optional(number, 5), ecpu_per_second = optional(number, 5000) })
  default     = {}

  validation {
    condition     = var.limits.storage_gb >= 1 && var.limits.storage_gb <= 5000
    error_message = "ElastiCache Serverless holds 1 to 5000 GB."
  }
  validation {
    condition     = var.limits.ecpu_per_second >= 1000 && var.limits.ecpu_per_second <= 15000000
    error_message = "ElastiCache Serverless takes limits of 1000 to 15000000 ECPU per second."
  }
}

variable "key_arn" {
  description = "KMS key that encrypts what the cache keeps."
  type        = string
}

variable "alarm_topic_arn" {
  description = "Who is told when the cache throttles; null makes no alarm."
  type        = string
  default     = null
}
