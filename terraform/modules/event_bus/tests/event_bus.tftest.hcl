mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:another" }
  }
  mock_resource "aws_cloudwatch_event_bus" {
    defaults = { arn = "arn:aws:events:eu-west-1:123456789012:event-bus/membus-test-bus" }
  }
  override_resource {
    target = aws_sqs_queue.dead_letter["bus-dlq"]
    values = { arn = "arn:aws:sqs:eu-west-1:123456789012:membus-test-bus-dlq" }
  }
  override_resource {
    target = aws_sqs_queue.dead_letter["learn-dlq"]
    values = { arn = "arn:aws:sqs:eu-west-1:123456789012:membus-test-learn-dlq" }
  }
  override_resource {
    target = aws_sqs_queue.dead_letter["learn-rule-dlq"]
    values = { arn = "arn:aws:sqs:eu-west-1:123456789012:membus-test-learn-rule-dlq" }
  }
  override_resource {
    target = aws_sqs_queue.route["learn"]
    values = { arn = "arn:aws:sqs:eu-west-1:123456789012:membus-test-learn" }
  }
}

variables {
  prefix                 = "membus-test"
  account                = { partition = "aws", region = "eu-west-1", id = "123456789012" }
  archive_retention_days = 30
  dead_letter_queues     = ["quarantine"]
  routes                 = { learn = { pattern = "{\"source\":[\"app\"]}", visibility_timeout_seconds = 361 } }
}

run "a_route_is_rule_queue_and_a_dead_letter_queue_for_each" {
  assert {
    condition     = aws_cloudwatch_event_target.route["learn"].arn == aws_sqs_queue.route["learn"].arn
    error_message = "The rule must deliver to the route's queue."
  }
  assert {
    condition = (
      aws_cloudwatch_event_target.route["learn"].dead_letter_config[0].arn
      == aws_sqs_queue.dead_letter["learn-rule-dlq"].arn
    )
    error_message = "Events that the rule cannot deliver must go to the rule's dead-letter queue."
  }
  assert {
    condition = jsondecode(aws_sqs_queue_redrive_policy.route["learn"].redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:membus-test-learn-dlq"
      maxReceiveCount     = 5
    }
    error_message = "After five receives a message must go to the route's dead-letter queue."
  }
  assert {
    condition     = aws_cloudwatch_event_bus.this.dead_letter_config[0].arn == aws_sqs_queue.dead_letter["bus-dlq"].arn
    error_message = "The bus must have a dead-letter queue of its own."
  }
  assert {
    condition     = aws_sqs_queue.route["learn"].visibility_timeout_seconds == 361
    error_message = "The caller's visibility timeout must reach the queue."
  }
}

run "every_queue_is_encrypted_and_dead_letters_wait_two_weeks" {
  assert {
    condition = alltrue([
      for queue in merge(aws_sqs_queue.dead_letter, aws_sqs_queue.route) : queue.sqs_managed_sse_enabled
    ])
    error_message = "Every queue must be encrypted."
  }
  assert {
    condition     = alltrue([for queue in aws_sqs_queue.dead_letter : queue.message_retention_seconds == 1209600])
    error_message = "A dead-letter queue must keep a message for two weeks."
  }
}

run "only_the_rule_may_send_and_only_over_tls" {
  assert {
    condition = [
      for statement in jsondecode(aws_sqs_queue.route["learn"].policy).Statement :
      statement.Condition.ArnEquals["aws:SourceArn"]
      if statement.Effect == "Allow"
      ] == [
      "arn:aws:events:eu-west-1:123456789012:rule/membus-test-bus/membus-test-learn"
    ]
    error_message = "The queue must accept events from its own rule only."
  }
  assert {
    condition = (
      jsondecode(aws_sqs_queue.dead_letter["learn-rule-dlq"].policy).Statement[0].Condition.ArnEquals["aws:SourceArn"]
      == "arn:aws:events:eu-west-1:123456789012:rule/membus-test-bus/membus-test-learn"
    )
    error_message = "The rule's dead-letter queue must accept events from that rule only."
  }
  assert {
    condition = (
      jsondecode(aws_sqs_queue.route["learn"].policy).Statement[0].Resource
      == aws_sqs_queue.route["learn"].arn
    )
    error_message = "A policy must name its own queue."
  }
  assert {
    condition = alltrue([for queue in merge(aws_sqs_queue.dead_letter, aws_sqs_queue.route) : anytrue([
      for statement in jsondecode(queue.policy).Statement :
      statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])])
    error_message = "Every queue must refuse plain HTTP."
  }
}

run "plain_http_is_allowed_without_tls_only" {
  variables { tls_only = false }
  assert {
    condition     = !anytrue([for queue in aws_sqs_queue.route : strcontains(queue.policy, "Deny")])
    error_message = "With tls_only = false no queue may refuse plain HTTP: the emulator has no TLS."
  }
}

run "the_archive_has_the_retention_of_the_caller" {
  assert {
    condition     = aws_cloudwatch_event_archive.this.retention_days == 30
    error_message = "The caller's retention must reach the archive."
  }
}

run "a_grant_permits_its_own_verb_only" {
  assert {
    condition = output.grants.put[0] == {
      Effect   = "Allow"
      Action   = ["events:PutEvents"]
      Resource = ["arn:aws:events:eu-west-1:123456789012:event-bus/membus-test-bus"]
    }
    error_message = "`put` must permit putting events only."
  }
  assert {
    condition = output.grants.send.quarantine[0] == {
      Effect   = "Allow"
      Action   = ["sqs:SendMessage"]
      Resource = ["arn:aws:sqs:eu-west-1:123456789012:membus-test-quarantine"]
    }
    error_message = "`send` must not permit reading."
  }
  assert {
    condition = (
      output.grants.consume.learn[0].Resource == [aws_sqs_queue.route["learn"].arn]
      && !contains(output.grants.consume.learn[0].Action, "sqs:SendMessage")
    )
    error_message = "`consume` must not permit sending."
  }
}

run "dead_letters_and_late_queues_raise_alarms" {
  variables { alarms = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:alarms", max_age_seconds = 300 } }
  assert {
    condition = keys(aws_cloudwatch_metric_alarm.dead_letter) == [
      "bus-dlq",
      "learn-dlq",
      "learn-rule-dlq",
      "quarantine",
    ]
    error_message = "Every dead-letter queue must have an alarm."
  }
  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.dead_letter :
      alarm.threshold == 0 && alarm.alarm_actions == toset([var.alarms.topic_arn])
    ])
    error_message = "One message must raise the alarm."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.age["learn"].threshold == 300
    error_message = "The caller's limit must be the alarm's threshold."
  }
  assert {
    condition = keys(aws_cloudwatch_metric_alarm.undelivered) == [
      "learn-failedinvocations",
      "learn-invocationsfailedtobesenttodlq",
    ]
    error_message = "Each failed delivery of a rule must raise an alarm."
  }
}

run "an_overflow_queue_has_the_settings_and_the_dead_letter_queue_of_its_route" {
  variables {
    alarms = { topic_arn = "arn:aws:sns:eu-west-1:123456789012:alarms", max_age_seconds = 300 }
    routes = { learn = { pattern = "{}", visibility_timeout_seconds = 361, max_receive_count = 12, overflow = true } }
  }
  assert {
    condition = (
      keys(aws_sqs_queue.route) == ["learn", "learn-surplus"]
      && keys(aws_cloudwatch_event_target.route) == ["learn"]
    )
    error_message = "No rule may deliver to an overflow queue."
  }
  assert {
    condition = (
      (
        aws_sqs_queue_redrive_policy.route["learn-surplus"].redrive_policy
        == aws_sqs_queue_redrive_policy.route["learn"].redrive_policy
      )
      && aws_sqs_queue.route["learn-surplus"].visibility_timeout_seconds == 361
    )
    error_message = "Both queues must have the same settings and the same dead-letter queue."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_sqs_queue.route["learn-surplus"].policy).Statement :
      statement.Effect == "Deny"
    ])
    error_message = "Only a role may send to an overflow queue."
  }
  assert {
    condition = output.grants.requeue.learn-surplus[0].Resource == [
      "arn:aws:sqs:eu-west-1:123456789012:membus-test-learn-surplus",
    ]
    error_message = "The consumer must be able to send to its overflow queue."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.age["learn-surplus"].threshold == 1800
    error_message = "An overflow queue must have six times the age of its route."
  }
}

run "without_a_topic_there_are_no_alarms" {
  assert {
    condition = length(merge(
      aws_cloudwatch_metric_alarm.dead_letter,
      aws_cloudwatch_metric_alarm.age,
      aws_cloudwatch_metric_alarm.undelivered,
    )) == 0
    error_message = "Without a topic there must be no alarms: they cost money and notify nobody."
  }
}

run "an_archive_without_end_is_refused" {
  command = plan
  variables { archive_retention_days = 0 }
  expect_failures = [var.archive_retention_days]
}

run "a_bus_without_routes_is_refused" {
  command = plan
  variables { routes = {} }
  expect_failures = [var.routes]
}

run "a_pattern_that_is_no_json_is_refused" {
  command = plan
  variables { routes = { learn = { pattern = "source = app", visibility_timeout_seconds = 361 } } }
  expect_failures = [var.routes]
}

run "dead_lettering_after_few_receives_is_refused" {
  command = plan
  variables { routes = { learn = { pattern = "{}", visibility_timeout_seconds = 361, max_receive_count = 3 } } }
  expect_failures = [var.routes]
}
