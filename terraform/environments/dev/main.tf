module "platform" {
  source = "../../modules/platform"

  environment = "dev"

  runtime = {
    artifacts = "${path.root}/../../../dist/lambda"
    log_level = "DEBUG"
  }

  model = {
    vendor       = "anthropic"
    extract_id   = "claude-haiku-5-5"
    chat_id      = "claude-sonnet-5-5"
    summarize_id = "claude-opus-5-5"
  }

  # Scales to zero: an idle dev costs its keys, its secrets, one endpoint and its storage.
  network = {
    availability_zone_ids = ["use1-az1", "use1-az2"]
    egress                = "ipv6"
  }
  postgres = { cluster = {
    min_acu = 0
    max_acu = 4
  } }

  api = {
    rate  = 50
    burst = 100
  }

  # dev is to be made and destroyed: nothing is protected, and a second apply on the same day finds its names free.
  protection = {
    protected              = false
    archive_retention_days = 7
  }

  operations = { log_retention_days = 14 }
}
