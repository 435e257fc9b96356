module "platform" {
  source = "../../modules/platform"

  environment = "prod"

  runtime = {
    artifacts            = "${path.root}/../../../dist/lambda"
    extract_concurrency  = 50
    reserved_concurrency = { authorize = 50 } # nobody gets in without it
    snap_start           = ["chat"]
  }

  model = {
    vendor           = "anthropic"
    extract_id       = "claude-haiku-5-5"
    chat_id          = "claude-sonnet-5-5"
    chat_fallback_id = "claude-haiku-5-5" # a plainer answer rather than none
    summarize_id     = "claude-opus-5-5"
  }

  network = {
    availability_zone_ids = ["use1-az1", "use1-az2", "use1-az4"]
    egress                = "nat"
    nat_per_zone          = true
  }

  postgres = { cluster = {
    proxy       = true
    min_acu     = 0.5
    max_acu     = 32
    instances   = 2
    backup_days = 35
  } }

  hot_tier = {
    storage_gb      = 10
    ecpu_per_second = 10000
  }

  api = {
    rate  = 1000
    burst = 2000
    tenant = {
      requests_per_second = 100
      events_per_second   = 2000
    }
  }

  # The bus's archive cannot delete one event, so its retention limits how soon an erasure is complete.
  protection = {
    recovery_days          = 35
    archive_retention_days = 30
  }

  operations = {
    log_retention_days = 365
    alarm_topic_arn    = var.alarm_topic_arn
  }
}
