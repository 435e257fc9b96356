variable "name" {
  description = "Prepended to every schedule's name and its role's, e.g. `membus-dev-archive`."
  type        = string
}

variable "target" {
  description = "The function: its `name` and `arn`."
  type        = object({ name = string, arn = string })
}

variable "rate" {
  description = "How often, as EventBridge Scheduler writes it: `rate(1 hour)`, `cron(0 3 * * ? *)`."
  type        = string
}

variable "inputs" {
  description = "One schedule for each input, by name; the function gets it as its event."
  type        = map(any)
}

variable "failures_arn" {
  description = "Queue that keeps invocations which Scheduler could not deliver."
  type        = string
}
