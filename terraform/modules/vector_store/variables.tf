variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "network" {
  description = "VPC and subnets of the cluster, and the security group that may connect; null with `external`."
  type = object({
    vpc_id                   = string
    subnet_ids               = list(string)
    client_security_group_id = string
  })
  default = null

  validation {
    condition     = (var.network == null) != nonsensitive(var.external == null)
    error_message = "Set either network, for a cluster, or external, for a server that exists; not both."
  }
}

variable "cluster" {
  description = <<-EOT
    Aurora Serverless v2: capacity in ACU (2 GiB each), number of instances (the first one writes), the major version
    of the engine, and for how many days its log is kept, whose errors may quote a row. `min_acu = 0` pauses an idle
    cluster. `proxy` adds RDS Proxy, whose open connections keep the cluster awake: use one of the two.
  EOT
  type = object({
    engine_version     = optional(string, "17")
    min_acu            = optional(number, 0)
    max_acu            = optional(number, 4)
    auto_pause_seconds = optional(number, 300)
    instances          = optional(number, 1)
    proxy              = optional(bool, false)
    backup_days        = optional(number, 7)
    log_days           = optional(number, 7)
  })
  default = {}

  validation {
    condition     = !(var.cluster.proxy && var.cluster.min_acu == 0)
    error_message = "cluster.proxy needs cluster.min_acu > 0: the proxy's connections keep a pausing cluster awake."
  }
  validation {
    condition     = var.cluster.min_acu <= var.cluster.max_acu && var.cluster.max_acu >= 1 && var.cluster.max_acu <= 256
    error_message = "cluster.max_acu must be 1 to 256 and at least cluster.min_acu."
  }
  validation {
    condition     = var.cluster.auto_pause_seconds >= 300 && var.cluster.auto_pause_seconds <= 86400
    error_message = "cluster.auto_pause_seconds must be 300 to 86400, Aurora's limits."
  }
  validation {
    condition     = contains(["17", "18"], var.cluster.engine_version)
    error_message = "cluster.engine_version must be 17 or 18, without a minor version: AWS withdraws those in a year."
  }
}

variable "external" {
  description = "A server that already exists, as on a laptop; no cluster is made, everything else is the same."
  type = object({
    host           = string
    port           = number
    database       = string
    owner_username = string
    owner_password = string
  })
  default = null
}

variable "key_arn" {
  description = "KMS key that encrypts storage, backups and secrets."
  type        = string
}

variable "protected" {
  description = "Refuse deletion, take a final snapshot, keep deleted secrets for a week."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "SNS topic of the alarms for capacity and for texts without vectors; null makes no alarms."
  type        = string
  default     = null
}
