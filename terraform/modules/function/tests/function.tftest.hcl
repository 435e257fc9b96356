mock_provider "aws" {
  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:membus-test-learn"
      invoke_arn = "arn:invoke:function"
    }
  }
  mock_resource "aws_lambda_alias" {
    defaults = {
      arn        = "arn:aws:lambda:us-east-1:123456789012:function:membus-test-learn:live"
      invoke_arn = "arn:invoke:alias"
    }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/membus-test-learn" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/membus-test-learn" }
  }
}

variables {
  name = "membus-test-learn"
  code = {
    path       = "./tests/fixtures/function.zip"
    handler    = "functions.learn.handler.handler"
    layer_arns = ["arn:aws:lambda:us-east-1:123456789012:layer:membus:1"]
  }
  limits     = { timeout_seconds = 60 }
  settings   = { EPISODE_SHARDS = 1 }
  operations = { log_retention_days = 30, failures_arn = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures" }
  uses = [{
    environment = { MEMORY_TABLE = "membus-test-memory" }
    grants = [{
      Effect    = "Allow"
      Action    = ["dynamodb:GetItem"]
      Resource  = ["arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-memory"]
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["T#*#U#*"] } }
    }]
  }]
  triggers = {
    queues = {
      learn = {
        arn                        = "arn:aws:sqs:us-east-1:123456789012:membus-test-learn"
        visibility_timeout_seconds = 361
      }
    }
  }
}

run "the_role_holds_its_log_and_its_grants_and_nothing_else" {
  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Action
    ] == [["logs:CreateLogStream", "logs:PutLogEvents"], ["dynamodb:GetItem"]]
    error_message = "The role must hold its log and its grants only."
  }
  assert {
    condition = (
      jsondecode(output.policy).Statement[1].Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
      == ["T#*#U#*"]
    )
    error_message = "A grant's condition must survive."
  }
  assert {
    condition     = !can(jsondecode(output.policy).Statement[0].Condition)
    error_message = "IAM refuses an empty condition."
  }
  assert {
    condition     = length(aws_iam_role_policy_attachment.network) == 0
    error_message = "A function outside a VPC must not get network interfaces."
  }
}

run "a_concern_brings_its_variables_and_its_grants" {
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      EPISODE_SHARDS = "1"
      MEMORY_TABLE   = "membus-test-memory"
    })
    error_message = "The environment must be the variables of the concerns and the settings."
  }
}

run "a_grant_of_two_concerns_is_one_statement" {
  variables {
    uses = [for name in ["MEMORY_TABLE", "FACTS_TABLE"] : {
      environment = { (name) = "membus-test-memory" }
      grants = [{
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = ["arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-memory"]
      }]
    }]
  }
  assert {
    condition     = length(jsondecode(output.policy).Statement) == 2
    error_message = "A repeated statement only uses up the size of the policy."
  }
}

run "lambdas_own_work_is_granted_without_a_variable" {
  variables {
    triggers = {
      grants = [{
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = ["arn:aws:sqs:us-east-1:123456789012:membus-test-failures"]
      }]
    }
  }
  assert {
    condition     = jsondecode(output.policy).Statement[2].Action == ["sqs:SendMessage"]
    error_message = "The role must permit what Lambda does in its name."
  }
}

run "arm_and_the_runtime_of_the_build" {
  assert {
    condition = (
      tolist(aws_lambda_function.this.architectures) == tolist(["arm64"])
      && aws_lambda_function.this.runtime == "python3.13"
    )
    error_message = "The build is for arm64 and Python 3.13."
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == -1
    error_message = "Concurrency is shared unless reserved."
  }
}

run "logs_are_kept_for_as_long_as_said" {
  assert {
    condition = (
      aws_cloudwatch_log_group.this.retention_in_days == 30
      && aws_cloudwatch_log_group.this.name == "/aws/lambda/membus-test-learn"
    )
    error_message = "Terraform must make the log group, with retention, before Lambda makes one without."
  }
}

run "an_asynchronous_failure_is_kept" {
  assert {
    condition = (
      aws_lambda_function_event_invoke_config.this.destination_config[0].on_failure[0].destination
      == var.operations.failures_arn
    )
    error_message = "A failed asynchronous invocation must go to the failures queue."
  }
}

run "a_batch_fails_message_by_message_and_under_a_ceiling" {
  assert {
    condition = (
      aws_lambda_event_source_mapping.queue["learn"].function_response_types
      == toset(["ReportBatchItemFailures"])
    )
    error_message = "One bad message must not fail its siblings."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.queue["learn"].scaling_config[0].maximum_concurrency == 10
    error_message = "The mapping must limit the concurrent calls to the model."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.queue["learn"].function_name == aws_lambda_function.this.arn
    error_message = "Without a snapshot, the queue invokes the function itself."
  }
}

run "a_function_of_a_dual_stack_network_speaks_ipv6" {
  command = plan
  variables { network = { subnet_ids = ["subnet-a"], security_group_ids = ["sg-a"], ipv6 = true } }
  assert {
    condition     = aws_lambda_function.this.vpc_config[0].ipv6_allowed_for_dual_stack
    error_message = "Without it Lambda gives the function no IPv6 address, and nothing leads out."
  }
}

run "inside_a_network_the_role_may_make_interfaces" {
  variables { network = { subnet_ids = ["subnet-a"], security_group_ids = ["sg-a"] } }
  assert {
    condition = (
      endswith(aws_iam_role_policy_attachment.network[0].policy_arn, "AWSLambdaENIManagementAccess")
      && length(aws_lambda_function.this.vpc_config) == 1
    )
    error_message = "A function in a VPC needs interfaces, and only then."
  }
  assert {
    condition = [
      for statement in jsondecode(output.policy).Statement : statement.Resource
      if contains(statement.Action, "ec2:DescribeSubnets")
    ] == [["*"]]
    error_message = "Lambda reads the subnets in the role's name; the attached policy of AWS lacks that one action."
  }
}

run "a_snapshot_is_reached_by_its_alias" {
  variables {
    code = { path = "./tests/fixtures/function.zip", handler = "h.h", layer_arns = [], snap_start = true }
  }
  assert {
    condition = (
      aws_lambda_function.this.publish
      && aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    )
    error_message = "Snapshots exist for published versions only."
  }
  assert {
    condition     = output.target.qualifier == "live" && output.target.invoke_arn == "arn:invoke:alias"
    error_message = "The API must follow the alias."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.queue["learn"].function_name == aws_lambda_alias.live[0].arn
      && aws_lambda_function_event_invoke_config.this.qualifier == "live"
    )
    error_message = "The queue and the failures queue must follow the alias too."
  }
}

run "errors_throttles_and_near_timeouts_raise_alarms" {
  variables {
    operations = {
      log_retention_days = 30
      failures_arn       = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures"
      alarm_topic_arn    = "arn:aws:sns:us-east-1:123456789012:alarms"
    }
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["errors", "slow", "throttles"]
    error_message = "Three alarms for each function."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].threshold == 54000
    error_message = "Nine tenths of the timeout, in milliseconds."
  }
}

run "work_up_to_the_deadline_raises_no_alarm" {
  command = plan
  variables {
    operations = {
      log_retention_days = 30
      failures_arn       = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures"
      alarm_topic_arn    = "arn:aws:sns:us-east-1:123456789012:alarms"
      works_to_deadline  = true
    }
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["errors", "throttles"]
    error_message = "A function that plans by its remaining time must not page for using it; a timeout is an error."
  }
}

run "rounds_through_the_bus_are_no_loop" {
  assert {
    condition     = length(aws_lambda_function_recursion_config.this) == 0
    error_message = "By default Lambda must stop a function that invokes itself without end."
  }
}

run "a_function_of_many_rounds_is_not_stopped" {
  variables {
    limits = { timeout_seconds = 60, recursion_allowed = true }
  }
  assert {
    condition     = aws_lambda_function_recursion_config.this[0].recursive_loop == "Allow"
    error_message = "Lambda stops a function at the seventeenth run of a chain; long work takes more rounds."
  }
}

run "a_share_of_the_accounts_concurrency_is_reserved" {
  command = plan
  variables {
    limits = { timeout_seconds = 60, reserved_concurrency = 20 }
  }
  assert {
    condition     = aws_lambda_function.this.reserved_concurrent_executions == 20
    error_message = "A reservation must reach the function."
  }
}

run "a_function_that_falls_behind_a_stream_raises_an_alarm" {
  variables {
    operations = {
      log_retention_days = 30
      failures_arn       = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures"
      alarm_topic_arn    = "arn:aws:sns:us-east-1:123456789012:alarms"
    }
    triggers = {
      streams = {
        memory = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-memory/stream/1", patterns = [] }
      }
    }
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["behind"].metric_name == "IteratorAge"
      && aws_cloudwatch_metric_alarm.this["behind"].threshold == 600000
    )
    error_message = "Ten minutes, in milliseconds."
  }
}

run "errors_by_design_raise_no_alarm" {
  command = plan
  variables {
    operations = {
      log_retention_days = 30
      failures_arn       = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures"
      alarm_topic_arn    = "arn:aws:sns:us-east-1:123456789012:alarms"
      raises_by_design   = true
    }
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.this) == ["slow", "throttles"]
    error_message = "Any caller with a wrong key could trigger the alarm."
  }
}

run "without_a_topic_there_are_no_alarms" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0
    error_message = "Without a topic there must be no alarms: they cost money and notify nobody."
  }
}

run "a_failing_change_leaves_the_stream_before_it_expires" {
  command = plan

  variables {
    triggers = {
      streams = {
        memory = {
          arn      = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/s"
          patterns = [jsonencode({ eventName = ["INSERT"] })]
        }
      }
    }
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.stream["memory"].maximum_retry_attempts == 10000
      && aws_lambda_event_source_mapping.stream["memory"].maximum_record_age_in_seconds == 21600
      && aws_lambda_event_source_mapping.stream["memory"].bisect_batch_on_function_error
      && aws_lambda_event_source_mapping.stream["memory"].function_response_types == toset(["ReportBatchItemFailures"])
    )
    error_message = "A poisoned change must neither block its shard for a day nor drag its batch along."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.stream["memory"].destination_config[0].on_failure[0].destination_arn
      == var.operations.failures_arn
    )
    error_message = "A change whose retries are used up must go to the failures queue."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.stream["memory"].starting_position == "TRIM_HORIZON"
    error_message = "Changes from before the mapping existed must be read too."
  }
}
