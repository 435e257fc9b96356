module "platform" {
  source = "../../modules/platform"

  environment = "staging"

  runtime = {
    artifacts            = "${path.root}/../../../dist/lambda"
    extract_concurrency  = 10
    reserved_concurrency = { authorize = 10 } # nobody gets in without it
    snap_start           = ["chat"]
  }

  model = {
    vendor           = "anthropic"
    extract_id       = "claude-haiku-5-5"
    chat_id          = "claude-sonnet-5-5"
    chat_fallback_id = "claude-haiku-5-5" # a plainer answer rather than none
    summarize_id     = "claude-opus-5-5"
  }

  # Production, smaller.
  network = {
    availability_zone_ids = ["use1-az1", "use1-az2"]
    egress                = "nat"
  }

  postgres = { cluster = {
    proxy   = true
    min_acu = 0.5
    max_acu = 4
  } }

  hot_tier = {
    storage_gb      = 1
    ecpu_per_second = 1000
  }

  api = {
    rate  = 100
    burst = 200
    tenant = {
      requests_per_second = 20
      events_per_second   = 400
    }
  }

  protection = {
    recovery_days          = 7
    archive_retention_days = 14
  }

  operations = {
    log_retention_days = 30
    alarm_topic_arn    = var.alarm_topic_arn
  }
}
