module "platform" {
  source = "../../modules/platform"

  environment = "local"

  # Ten workers that start together on two cores exceed their timeout; two have read 400 events in five seconds.
  runtime = {
    artifacts           = var.artifacts
    extra_environment   = var.extra_environment
    extract_concurrency = 2
    extract_share       = 10 # the demo's tenant is the only one
  }

  model = {
    vendor       = "anthropic"
    extract_id   = "claude-haiku-5-5"
    chat_id      = "claude-sonnet-5-5"
    summarize_id = "claude-opus-5-5"
  }

  postgres = { external = merge(var.postgres, { owner_password = var.postgres_password }) }

  # The authorizer's answers are not reused, so tests see a revoked key at once; the demo's tenant needs no limit.
  api = {
    authorizer_ttl_seconds = 0
    gateway_url            = var.gateway_url
    tenant = {
      requests_per_second = 1000
      events_per_second   = 10000
    }
  }

  # `make up` can make everything here again, and the emulator on loopback has no TLS.
  protection = {
    protected              = false
    tls_only               = false
    archive_retention_days = 1
    erasure_settle_seconds = 90
  }

  operations = { log_retention_days = 1 }
}
