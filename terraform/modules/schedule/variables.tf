variable "name" {
  description = "Prepended to every schedule's name and its role's, e.g. `membus-dev-archive`."
  type        = string
}

variable "function_arn" {
  description = "The function to invoke."
  type        = string
}

variable "rate" {
  description = "Schedule expression of EventBridge Scheduler: `rate(1 hour)`, `cron(0 3 * * ? *)`."
  type        = string
}

variable "inputs" {
  description = "One schedule for each input, by name; the input is the function's event."
  type        = map(any)
}

variable "failures_arn" {
  description = "Queue for invocations that Scheduler could not deliver."
  type        = string
}
