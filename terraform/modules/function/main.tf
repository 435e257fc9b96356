resource "aws_lambda_function" "this" {
  function_name                  = var.name
  role                           = aws_iam_role.this.arn
  filename                       = var.code.path
  source_code_hash               = filebase64sha256(var.code.path)
  handler                        = var.code.handler
  runtime                        = var.code.runtime
  architectures                  = [var.code.architecture]
  layers                         = var.code.layer_arns
  memory_size                    = var.limits.memory_mb
  timeout                        = var.limits.timeout_seconds
  reserved_concurrent_executions = var.limits.reserved_concurrency
  publish                        = var.code.snap_start

  ephemeral_storage {
    size = var.limits.storage_mb
  }

  environment {
    variables = var.environment
  }

  dynamic "snap_start" {
    for_each = var.code.snap_start ? [true] : []
    content {
      apply_on = "PublishedVersions"
    }
  }

  dynamic "vpc_config" {
    for_each = var.network[*]
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  # Lambda makes a log group without retention if it has to, and refuses a mapping that the role cannot serve.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this, aws_iam_role_policy_attachment.network]
}

# Snapshots exist for published versions only; callers follow the alias.
resource "aws_lambda_alias" "live" {
  count = var.code.snap_start ? 1 : 0

  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

locals {
  qualifier = one(aws_lambda_alias.live[*].name)
  entry_arn = one(aws_lambda_alias.live[*].arn)
}

resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  qualifier                    = local.qualifier
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 6 * 3600

  destination_config {
    on_failure {
      destination = var.operations.failures_arn
    }
  }
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.queues

  event_source_arn                   = each.value.arn
  function_name                      = coalesce(local.entry_arn, aws_lambda_function.this.arn)
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  # Caps the pressure on the model without reserved concurrency, which would send throttled messages to the DLQ.
  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }
}

resource "aws_lambda_event_source_mapping" "stream" {
  for_each = var.streams

  event_source_arn                   = each.value.arn
  function_name                      = coalesce(local.entry_arn, aws_lambda_function.this.arn)
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window_seconds
  parallelization_factor             = each.value.parallelization
  maximum_retry_attempts             = each.value.retries
  maximum_record_age_in_seconds      = each.value.max_age_seconds
  bisect_batch_on_function_error     = true
  function_response_types            = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = var.operations.failures_arn
    }
  }

  filter_criteria {
    dynamic "filter" {
      for_each = each.value.patterns
      content {
        pattern = filter.value
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.operations.log_retention_days
}
