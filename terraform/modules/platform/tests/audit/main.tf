# Answers "who may?" from the finished policies as IAM would: by action, resource and leading key.
terraform {
  required_version = "~> 1.11"
}

variable "policies" {
  description = "The inline policy of each function, as JSON."
  type        = map(string)
}

variable "questions" {
  description = "By name: any of `actions` on a resource whose ARN ends in `on`, on items of the partition `key`."
  type = map(object({
    actions = list(string)
    on      = string
    key     = optional(string)
  }))
}

variable "expected" {
  description = "The functions that may, by question: names in alphabetical order, or `nobody`."
  type        = map(string)
}

locals {
  statements = flatten([for function, policy in var.policies : [
    for statement in jsondecode(policy).Statement : merge({ Condition = {} }, statement, { function = function })
  ]])

  # The leading keys of each statement, as regular expressions: those it permits, and those it excludes.
  like = { for index, statement in local.statements : index => [
    for pattern in try(statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"], ["*"]) :
    "^${replace(pattern, "*", ".*")}$"
  ] }
  unlike = { for index, statement in local.statements : index => [
    for pattern in try(statement.Condition["ForAllValues:StringNotLike"]["dynamodb:LeadingKeys"], []) :
    "^${replace(pattern, "*", ".*")}$"
  ] }

  who_may = { for name, question in var.questions : name => join(", ", coalescelist(distinct(sort([
    for index, statement in local.statements : statement.function
    if length(setintersection(statement.Action, question.actions)) > 0
    && anytrue([for resource in statement.Resource : endswith(resource, question.on)])
    && (question.key == null || (
      anytrue([for pattern in local.like[index] : can(regex(pattern, question.key))])
      && !anytrue([for pattern in local.unlike[index] : can(regex(pattern, question.key))])
    ))
  ])), ["nobody"])) }
}

output "differences" {
  description = "Questions whose answer differs from the expected one, with both answers; empty if there are none."
  value = {
    for name in setunion(keys(var.questions), keys(var.expected)) : name => {
      expected = try(var.expected[name], "(no expectation)")
      found    = try(local.who_may[name], "(no question)")
    }
    if try(var.expected[name] != local.who_may[name], true)
  }
}
