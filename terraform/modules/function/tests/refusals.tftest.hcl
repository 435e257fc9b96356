mock_provider "aws" {}

variables {
  name       = "membus-test-learn"
  code       = { path = "./tests/fixtures/function.zip", handler = "functions.learn.handler.handler", layer_arns = [] }
  limits     = { timeout_seconds = 60 }
  operations = { log_retention_days = 30, failures_arn = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures" }
}

run "a_variable_without_a_grant_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { MEMORY_TABLE = "membus-test-memory" }
      grants      = []
    }]
  }
  expect_failures = [var.uses]
}

run "a_grant_without_a_variable_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = {}
      grants = [{
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = ["arn:aws:sqs:us-east-1:1:a"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "a_service_grant_of_anything_but_queues_and_streams_is_refused" {
  command = plan
  variables {
    triggers = {
      grants = [{
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem"]
        Resource = ["arn:aws:dynamodb:us-east-1:1:table/a"]
      }]
    }
  }
  expect_failures = [var.triggers]
}

run "a_wildcard_action_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { NAME = "a" }
      grants = [{
        Effect   = "Allow"
        Action   = ["dynamodb:*"]
        Resource = ["arn:aws:dynamodb:us-east-1:1:table/a"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "a_wildcard_inside_an_action_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { NAME = "a" }
      grants = [{
        Effect   = "Allow"
        Action   = ["s3:Get*"]
        Resource = ["arn:aws:s3:::a/b"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "every_resource_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { NAME = "a" }
      grants = [{
        Effect   = "Allow"
        Action   = ["sqs:SendMessage"]
        Resource = ["*"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "every_resource_of_a_service_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { NAME = "a" }
      grants = [{
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = ["arn:aws:lambda:us-east-1:1:function:*"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "a_grant_that_denies_is_refused" {
  command = plan
  variables {
    uses = [{
      environment = { NAME = "a" }
      grants = [{
        Effect   = "Deny"
        Action   = ["sqs:SendMessage"]
        Resource = ["arn:aws:sqs:us-east-1:1:a"]
      }]
    }]
  }
  expect_failures = [var.uses]
}

run "a_message_visible_before_six_timeouts_is_refused" {
  command = plan
  variables {
    triggers = {
      queues = {
        learn = {
          arn                        = "arn:aws:sqs:us-east-1:1:a"
          visibility_timeout_seconds = 360
        }
      }
    }
  }
  expect_failures = [var.triggers]
}

run "a_concurrency_of_one_is_refused" {
  command = plan
  variables {
    triggers = {
      queues = {
        learn = {
          arn                        = "arn:aws:sqs:us-east-1:1:a"
          visibility_timeout_seconds = 361
          maximum_concurrency        = 1
        }
      }
    }
  }
  expect_failures = [var.triggers]
}

run "logs_for_ever_are_refused" {
  command = plan
  variables {
    operations = { log_retention_days = 0, failures_arn = "arn:aws:sqs:us-east-1:123456789012:membus-test-failures" }
  }
  expect_failures = [var.operations]
}

run "a_timeout_beyond_lambdas_is_refused" {
  command = plan
  variables { limits = { timeout_seconds = 901 } }
  expect_failures = [var.limits]
}

run "a_sixth_layer_is_refused" {
  command = plan
  variables {
    code = { path = "./tests/fixtures/function.zip", handler = "h.h", layer_arns = ["a", "b", "c", "d", "e", "f"] }
  }
  expect_failures = [var.code]
}

run "a_change_is_not_retried_longer_than_its_stream_keeps_it" {
  command = plan

  variables {
    triggers = {
      streams = {
        memory = {
          arn             = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/s"
          patterns        = []
          max_age_seconds = 604800
        }
      }
    }
  }
  expect_failures = [var.triggers]
}
