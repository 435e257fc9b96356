mock_provider "aws" {}

variables {
  name         = "membus-test-archive"
  function_arn = "arn:aws:lambda:us-east-1:123456789012:function:membus-test-archive"
  rate         = "rate(1 hour)"
  inputs       = { first = { shards = [0, 1] }, second = { shards = [2, 3] } }
  failures_arn = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures"
}

run "each_input_is_invoked_by_itself" {
  command = plan
  assert {
    condition = {
      for name, schedule in aws_scheduler_schedule.this : name => jsondecode(schedule.target[0].input).shards
    } == { first = [0, 1], second = [2, 3] }
    error_message = "Each schedule must pass its own input."
  }
}

run "the_schedule_may_invoke_this_function_alone" {
  command = plan
  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Action[0] => statement.Resource
      } == {
      "lambda:InvokeFunction" = [var.function_arn]
      "sqs:SendMessage"       = [var.failures_arn]
    }
    error_message = "Scheduler invokes one function and reports to one queue."
  }
}

run "an_undelivered_invocation_goes_to_the_failures_queue" {
  command = plan
  assert {
    condition = alltrue([
      for schedule in aws_scheduler_schedule.this :
      schedule.target[0].dead_letter_config[0].arn == var.failures_arn
    ])
    error_message = "An invocation that cannot be delivered must go to the failures queue."
  }
}
