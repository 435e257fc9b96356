variable "prefix" {
  description = "Prepended to every table name, e.g. `membus-dev`."
  type        = string
}

variable "tables" {
  description = <<-EOT
    Tables by logical name; without `range_key` the hash key alone identifies an item. An item expires at the time
    in its `ttl_attribute` (epoch seconds). `collections` are groups of items: those whose partition key matches one
    of `keys` and none of `except`, in an index those whose partition key matches `indexes`. Grants are by
    collection. Without patterns a collection is the whole table.
  EOT
  type = map(object({
    hash_key      = optional(string, "pk")
    range_key     = optional(string)
    ttl_attribute = optional(string, "expires_at")
    stream        = optional(bool, false)
    indexes = optional(map(object({
      hash_key   = string
      range_key  = string
      projection = optional(string, "ALL")
    })), {})
    collections = map(object({
      keys    = optional(list(string), [])
      except  = optional(list(string), [])
      indexes = optional(map(list(string)), {})
    }))
  }))

  validation {
    condition     = length(var.tables) > 0
    error_message = "tables must name at least one table."
  }
  validation {
    condition = alltrue(flatten([
      for table in var.tables : [
        for collection in table.collections : [
          for index in keys(collection.indexes) : contains(keys(table.indexes), index)
        ]
      ]
    ]))
    error_message = "tables: a collection names an index that its table does not have; add it to the table's indexes."
  }
}

variable "key_arn" {
  description = "KMS key that encrypts the tables."
  type        = string
}

variable "protected" {
  description = "Refuse deletion and keep point-in-time backups."
  type        = bool
  default     = true
}

variable "recovery_days" {
  description = "How far back a protected table can be restored, in days."
  type        = number
  default     = 7

  validation {
    condition     = var.recovery_days >= 1 && var.recovery_days <= 35
    error_message = "recovery_days must be 1 to 35, DynamoDB's limits."
  }
}
