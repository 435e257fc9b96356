variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "network" {
  description = "Where the cluster lives and which security group may reach it; null with `external`."
  type        = object({ vpc_id = string, subnet_ids = list(string), client_security_group_id = string })
  default     = null

  validation {
    condition     = (var.network == null) != nonsensitive(var.external == null)
    error_message = "Either a network for a cluster, or an external server."
  }
}

variable "cluster" {
  description = <<-EOT
    Aurora Serverless v2: capacity in ACU (2 GiB each), instances (the first writes), engine version.
    `min_acu = 0` pauses the idle cluster; `proxy` pools connections and holds some open, so the two exclude each other.
  EOT
  type = object({
    engine_version     = optional(string, "17.5")
    min_acu            = optional(number, 0)
    max_acu            = optional(number, 4)
    auto_pause_seconds = optional(number, 300)
    instances          = optional(number, 1)
    proxy              = optional(bool, false)
    backup_days        = optional(number, 7)
  })
  default = {}

  validation {
    condition     = !(var.cluster.proxy && var.cluster.min_acu == 0)
    error_message = "RDS Proxy keeps the cluster awake: either proxy, or min_acu = 0."
  }
  validation {
    condition     = var.cluster.min_acu <= var.cluster.max_acu && var.cluster.max_acu >= 1 && var.cluster.max_acu <= 256
    error_message = "Capacity goes from min_acu to max_acu, at most 256."
  }
  validation {
    condition     = var.cluster.auto_pause_seconds >= 300 && var.cluster.auto_pause_seconds <= 86400
    error_message = "Aurora pauses after 300 to 86400 idle seconds."
  }
  validation {
    condition     = contains(["17.4", "17.5", "17.6", "17.7", "18.3", "18.4"], var.cluster.engine_version)
    error_message = "A version from 17.4 to 18.4 that Aurora lists; their pgvector has iterative scans."
  }
}

variable "external" {
  description = "A server that exists already (the laptop's): no cluster is made, everything else is the same."
  type        = object({ host = string, port = number, database = string, owner_username = string, owner_password = string })
  default     = null
}

variable "key_arn" {
  description = "KMS key that encrypts storage, backups and secrets."
  type        = string
}

variable "protected" {
  description = "Refuse deletion, take a last snapshot, keep deleted secrets for a week."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "Who is told when the cluster runs at its ceiling or texts wait for vectors; null makes no alarm."
  type        = string
  default     = null
}
