locals {
  # A quarter of the index each: a run that fails or reaches its timeout is continued by the next one.
  quarters = { for first in range(0, 16, 4) : "shards-${first}" => range(first, first + 4) }
}

# Hourly: copies the episodes that are old enough.
module "archive_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-archive"
  function_arn = module.functions["archive"].arn
  rate         = "rate(1 hour)"
  failures_arn = module.event_bus.queue_arns.failures

  inputs = { for name, shards in local.quarters : name => {
    task   = "archive"
    shards = shards
  } }
}

# Five times a night: merges the objects of finished months; what is left waits for the next run.
module "compaction_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-compaction"
  function_arn = module.functions["archive"].arn
  rate         = "cron(30 1-5 * * ? *)"
  failures_arn = module.event_bus.queue_arns.failures

  inputs = { for name, shards in local.quarters : name => {
    task   = "compact_due"
    shards = shards
  } }
}

# Every six hours: builds an approximate index for each scope that has outgrown exact search. Only the owner of the
# schema may.
module "scopes_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-scopes"
  rate         = "rate(6 hours)"
  inputs       = { tend = { task = "tend" } }
  function_arn = module.functions["migrate"].arn
  failures_arn = module.event_bus.queue_arns.failures
}
