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
    variables = merge(flatten([var.uses[*].environment, var.settings])...)
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

      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6
    }
  }

  # Lambda makes a missing log group itself, without retention, and rejects a mapping that the role may not read.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this, aws_iam_role_policy_attachment.network]
}

# Snapshots exist for published versions only, so callers use the alias.
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

resource "aws_lambda_function_recursion_config" "this" {
  count = var.limits.recursion_allowed ? 1 : 0

  function_name  = aws_lambda_function.this.function_name
  recursive_loop = "Allow"
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

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.operations.log_retention_days
}
