resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.triggers.queues

  event_source_arn                   = each.value.arn
  function_name                      = coalesce(local.entry_arn, aws_lambda_function.this.arn)
  batch_size                         = each.value.batch_size
  maximum_batching_window_in_seconds = each.value.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  # Limits the calls to the model. Reserved concurrency would send throttled messages to the dead-letter queue.
  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }
}

resource "aws_lambda_event_source_mapping" "stream" {
  for_each = var.triggers.streams

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
