module "keys" {
  source = "../keys"

  prefix  = local.prefix
  account = local.account
}

module "model" {
  source = "../model"

  prefix       = local.prefix
  vendor       = var.model.vendor
  bedrock_arns = var.model.bedrock_arns
  key_arn      = module.keys.data_arn
  protected    = var.protection.protected

  embedding_arns = [
    for id in var.model.embedding_ids :
    "arn:${local.account.partition}:bedrock:${local.account.region}::foundation-model/${id}"
  ]
}

module "vector_store" {
  source = "../vector_store"

  prefix          = local.prefix
  network         = one(local.networks.stores)
  cluster         = var.postgres.cluster
  external        = var.postgres.external
  key_arn         = module.keys.data_arn
  protected       = var.protection.protected
  alarm_topic_arn = var.operations.alarm_topic_arn
}

module "hot_tier" {
  source = "../hot_tier"
  count  = var.hot_tier == null ? 0 : 1

  prefix          = local.prefix
  network         = one(local.networks.stores)
  limits          = var.hot_tier
  key_arn         = module.keys.data_arn
  alarm_topic_arn = var.operations.alarm_topic_arn
}

module "archive" {
  source = "../archive"

  name      = "${local.prefix}-archive-${local.account.id}"
  key_arn   = module.keys.data_arn
  protected = var.protection.protected
  tls_only  = var.protection.tls_only
  tiers     = var.protection.tiers

  alarm = {
    prefix      = "${local.prefix}-archive"
    environment = var.environment
    topic_arn   = var.operations.alarm_topic_arn
  }
}

module "event_bus" {
  source = "../event_bus"

  prefix                 = local.prefix
  account                = local.account
  archive_retention_days = var.protection.archive_retention_days
  tls_only               = var.protection.tls_only
  alarms                 = { topic_arn = var.operations.alarm_topic_arn }

  routes = local.routes

  # failures: events of asynchronous invocations whose retries failed. quarantine: messages that no retry can help.
  dead_letter_queues = ["failures", "quarantine"]
}

module "tables" {
  source = "../tables"

  prefix        = local.prefix
  key_arn       = module.keys.data_arn
  protected     = var.protection.protected
  recovery_days = var.protection.recovery_days

  tables = {
    memory = {
      range_key = "sk"
      stream    = true
      indexes = {
        by_user = {
          hash_key  = "user_pk"
          range_key = "user_sk"
        }
        unarchived = {
          hash_key   = "unarchived"
          range_key  = "pk"
          projection = "KEYS_ONLY"
        }
      }
      collections = local.collections.memory
    }
    conversations = {
      range_key = "sk"
      stream    = true
      # The index holds keys alone, so a turn that only changes the counters of its conversation does not write to it.
      indexes = {
        by_status = {
          hash_key   = "status_pk"
          range_key  = "status_sk"
          projection = "KEYS_ONLY"
        }
      }
      collections = local.collections.conversations
    }
    tenants = {
      range_key   = "sk"
      collections = local.collections.tenants
    }
    idempotency = {
      hash_key      = "id"
      ttl_attribute = "expiration"
      collections   = local.collections.idempotency
    }
  }
}
