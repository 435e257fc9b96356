# Answers "who may?" from the policies themselves, the way IAM would: action, resource, leading key.
terraform {
  required_version = "~> 1.11"
}

variable "policies" {
  description = "The inline policy of each function, as JSON."
  type        = map(string)
}

variable "questions" {
  description = "What somebody might do: any of `actions` on a resource whose ARN ends in `on`, there to the item under `key`."
  type        = map(object({ actions = list(string), on = string, key = optional(string) }))
}

locals {
  statements = flatten([for function, policy in var.policies : [
    for statement in jsondecode(policy).Statement : merge({ Condition = {} }, statement, { function = function })
  ]])
  like = { for index, statement in local.statements : index => [
    for pattern in try(statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"], ["*"]) : replace(pattern, "*", ".*")
  ] }
  unlike = { for index, statement in local.statements : index => [
    for pattern in try(statement.Condition["ForAllValues:StringNotLike"]["dynamodb:LeadingKeys"], []) : replace(pattern, "*", ".*")
  ] }
}

output "who_may" {
  description = "Functions by question in alphabetical order, or `nobody`."
  value = { for question, asked in var.questions : question => join(", ", coalescelist(distinct(sort([
    for index, statement in local.statements : statement.function
    if length(setintersection(statement.Action, asked.actions)) > 0
    && anytrue([for resource in statement.Resource : endswith(resource, asked.on)])
    && (asked.key == null || (
      anytrue([for pattern in local.like[index] : can(regex("^${pattern}$", asked.key))])
      && !anytrue([for pattern in local.unlike[index] : can(regex("^${pattern}$", asked.key))])
    ))
  ])), ["nobody"])) }
}
