module "platform" {
  source = "../../modules/platform"

  environment = "local"

  # Ten workers that start at once on two cores outlast their timeout; two have read 400 events in five seconds.
  runtime = {
    artifacts           = var.artifacts
    extra_environment   = var.extra_environment
    extract_concurrency = 2
    extract_share       = 10 # the demo's one tenant is alone here
  }

  model = {
    vendor       = "anthropic"
    extract_id   = "claude-haiku-5-5"
    chat_id      = "claude-sonnet-5-5"
    summarize_id = "claude-opus-5-5"
  }

  postgres = { external = merge(var.postgres, { owner_password = var.postgres_password }) }

  # A revoked key is refused at once, so that tests need not wait; nor shall the demo's one tenant, which is alone here.
  api = { authorizer_ttl_seconds = 0, gateway_url = var.gateway_url, tenant = { requests_per_second = 1000, events_per_second = 10000 } }

  # What is here is made anew by `make up`, and the emulator speaks plain HTTP on loopback.
  protection = { protected = false, tls_only = false, archive_retention_days = 1, erasure_settle_seconds = 90 }
  operations = { log_retention_days = 1 }
}
