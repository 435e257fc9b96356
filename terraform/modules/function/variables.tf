variable "name" {
  description = "Name of the function, with its prefix."
  type        = string
}

variable "code" {
  description = "The zip, its entry point and its layers; with `snap_start` the alias `live` starts from a snapshot."
  type = object({
    path         = string
    handler      = string
    layer_arns   = list(string)
    runtime      = optional(string, "python3.13")
    architecture = optional(string, "arm64")
    snap_start   = optional(bool, false)
  })

  validation {
    condition     = length(var.code.layer_arns) <= 5
    error_message = "code.layer_arns may list at most five layers, Lambda's limit."
  }
}

variable "limits" {
  description = <<-EOT
    Timeout, memory, disk and concurrency; a reserved concurrency of -1 shares the account's. Lambda stops a function
    that invokes itself, through a queue or another function, at the seventeenth run of a chain, unless
    `recursion_allowed`.
  EOT
  type = object({
    timeout_seconds      = number
    memory_mb            = optional(number, 512)
    storage_mb           = optional(number, 512)
    reserved_concurrency = optional(number, -1)
    recursion_allowed    = optional(bool, false)
  })

  validation {
    condition     = var.limits.timeout_seconds >= 1 && var.limits.timeout_seconds <= 900
    error_message = "limits.timeout_seconds must be 1 to 900, Lambda's limit."
  }
}

variable "uses" {
  description = <<-EOT
    What the function can use: for each concern the environment variables that name a resource and the IAM
    statements that permit its use, as handed out by the modules that own the resources.
  EOT
  type = list(object({
    environment = map(string)
    grants = list(object({
      Effect    = string
      Action    = list(string)
      Resource  = list(string)
      Condition = optional(map(map(list(string))), {})
    }))
  }))
  default = []

  validation {
    condition = alltrue([for concern in var.uses :
      (length(concern.environment) == 0) == (length(concern.grants) == 0)
    ])
    error_message = "uses: every concern needs both variables and grants; a plain value belongs in settings."
  }
  validation {
    condition = alltrue(flatten([
      for concern in var.uses : [for grant in concern.grants : grant.Effect == "Allow"]
    ]))
    error_message = "uses: every grant must have Effect = \"Allow\"."
  }
  validation {
    condition = !anytrue(flatten([
      for concern in var.uses : [for grant in concern.grants : [for action in grant.Action : strcontains(action, "*")]]
    ]))
    error_message = "uses: a grant must name each action in full, without `*`."
  }
  validation {
    condition = !anytrue(flatten([for concern in var.uses : [for grant in concern.grants : [
      for resource in grant.Resource : resource == "*" || endswith(resource, ":*")
    ]]]))
    error_message = "uses: a grant must name its resources; neither `*` nor an ARN that ends in `:*` is allowed."
  }
}

variable "settings" {
  description = "Plain environment variables: no names of resources, no secrets. They win over those of `uses`."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = <<-EOT
    Subnets and security groups of a function in the VPC, and whether it leaves by IPv6; null runs it outside.
  EOT
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
    ipv6               = optional(bool, false)
  })
  default = null
}

variable "operations" {
  description = <<-EOT
    How long logs are kept, the queue that receives failed asynchronous invocations (`failures_arn`; service_grants
    permit the sending), and the SNS topic that receives alarms; null makes no alarms. A function that raises to
    refuse, as an authorizer does, has `raises_by_design`: no alarm counts its errors, or any caller with a wrong
    key could trigger it. A function that plans by its remaining time has `works_to_deadline`: no alarm says that it
    is slow, and a run that reaches its timeout still counts as an error.
  EOT
  type = object({
    log_retention_days = number
    failures_arn       = string
    alarm_topic_arn    = optional(string)
    raises_by_design   = optional(bool, false)
    works_to_deadline  = optional(bool, false)
  })

  validation {
    condition     = var.operations.log_retention_days > 0
    error_message = "operations.log_retention_days must be greater than 0, which would keep logs for ever."
  }
}
