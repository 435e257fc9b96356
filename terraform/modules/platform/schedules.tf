# Hourly, a quarter of the index each: a run that is cut short, or fails, goes on with the next.
module "archive_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-archive"
  target       = { name = module.functions["archive"].name, arn = module.functions["archive"].arn }
  rate         = "rate(1 hour)"
  inputs       = { for quarter in range(4) : "shards-${quarter * 4}" => { task = "archive", shards = range(quarter * 4, quarter * 4 + 4) } }
  failures_arn = module.event_bus.queue_arns.failures
}

# Five times a night, a quarter of the index each: months that are over become few objects, what is left waits for the next run.
module "compaction_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-compaction"
  target       = { name = module.functions["archive"].name, arn = module.functions["archive"].arn }
  rate         = "cron(30 1-5 * * ? *)"
  inputs       = { for quarter in range(4) : "shards-${quarter * 4}" => { task = "compact_due", shards = range(quarter * 4, quarter * 4 + 4) } }
  failures_arn = module.event_bus.queue_arns.failures
}

# Scopes that have outgrown exact search get an approximate index, the schema's owner makes it.
module "scopes_schedule" {
  source = "../schedule"

  name         = "${local.prefix}-scopes"
  target       = { name = module.functions["migrate"].name, arn = module.functions["migrate"].arn }
  rate         = "rate(6 hours)"
  inputs       = { tend = { task = "tend" } }
  failures_arn = module.event_bus.queue_arns.failures
}
