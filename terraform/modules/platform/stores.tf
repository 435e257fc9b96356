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

  embedding_arns = [for id in var.model.embedding_ids : "arn:${local.account.partition}:bedrock:${local.account.region}::foundation-model/${id}"]
}

module "network" {
  source = "../network"
  count  = var.network == null ? 0 : 1

  prefix             = local.prefix
  account            = local.account
  cidr               = var.network.cidr
  availability_zones = var.network.availability_zones
  egress             = var.network.egress

  # What functions inside call besides the stores: memory and index embed, announce, sign cursors and park.
  interface_endpoints = ["bedrock-runtime", "events", "kms", "secretsmanager", "sqs"]
}

module "vector_store" {
  source = "../vector_store"

  prefix          = local.prefix
  network         = one(local.stores)
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
  network         = one(local.stores)
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
  alarm     = { prefix = "${local.prefix}-archive", environment = var.environment, topic_arn = var.operations.alarm_topic_arn }
}

module "event_bus" {
  source = "../event_bus"

  prefix                 = local.prefix
  account                = local.account
  archive_retention_days = var.protection.archive_retention_days
  tls_only               = var.protection.tls_only
  alarms                 = { topic_arn = var.operations.alarm_topic_arn }

  routes = local.routes

  # failures: events of asynchronous invocations that failed for good. quarantine: messages that no retry can help.
  parking = ["failures", "quarantine"]
}

# Keys are `T#<tenant>#…`; ids hold no `#`. IAM's `*` does match it, so look-alikes are excluded by name.
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
        by_user    = { hash_key = "user_pk", range_key = "user_sk" }
        unarchived = { hash_key = "unarchived", range_key = "pk", projection = "KEYS_ONLY" }
      }
      collections = {
        facts    = { keys = ["T#*#U#*"], except = ["T#*#A#*"] }
        episodes = { keys = ["T#*#A#*#E#*", "T#*#EV#*"], indexes = { by_user = ["T#*#U#*"] } }
        # A fact and the mark on its event are one transaction, which one statement must cover whole.
        learning = { keys = ["T#*#U#*", "T#*#A#*#E#*", "T#*#EV#*"] }
        # The archiver reads what waits and marks it; what it packed stands in the catalog, and waits there to be compacted.
        archiving = { keys = ["T#*#A#*#E#*"], indexes = { unarchived = ["UNARCHIVED#*", "UNCOMPACTED#*"] } }
        cold      = { keys = ["T#*#COLD"], except = ["T#*#A#*", "T#*#U#*", "T#*#D#*", "T#*#EV#*"] }
        # Whatever is one user's, wherever in the table: for the one function that erases it.
        users     = { keys = ["T#*#U#*", "T#*#A#*", "T#*#EV#*", "T#*#D#*"], indexes = { by_user = ["T#*#U#*"] } }
        documents = { keys = ["T#*#D#*"], except = ["T#*#A#*", "T#*#U#*"] }
        states    = { keys = ["T#*#A#*"], except = ["T#*#A#*#E#*"] }
      }
    }
    conversations = {
      range_key = "sk"
      stream    = true
      # It says where to look, no more: a turn that counts on its conversation leaves the index alone.
      indexes = { by_status = { hash_key = "status_pk", range_key = "status_sk", projection = "KEYS_ONLY" } }
      collections = {
        conversations = { keys = ["T#*#C#*"], indexes = { by_status = ["T#*"] } }
        fresh         = { keys = ["T#*#U#*"] }
        connections   = { keys = ["T#*#W#*"], except = ["T#*#C#*", "T#*#U#*"] }
        # A turn and what it leaves for the user's other conversations are one transaction, hence one statement.
        turns = { keys = ["T#*#C#*", "T#*#U#*"] }
      }
    }
    tenants = {
      range_key = "sk"
      collections = {
        keys    = { keys = ["KEY#*"] }
        tenants = { keys = ["T#*"], except = ["T#*#USAGE", "T#*#ERASED", "T#*#JOB", "T#*#RATE"] }
        # Apart from the tenant, so that who writes a bill can change neither a budget nor what was erased.
        usage = { keys = ["T#*#USAGE"] }
        # So are the counters of how fast it goes.
        rates = { keys = ["T#*#RATE"] }
        # What was erased, which every writer asks; an erasure begins as one transaction with its job.
        erased  = { keys = ["T#*#ERASED"] }
        erasing = { keys = ["T#*#ERASED", "T#*#JOB"] }
        jobs    = { keys = ["T#*#JOB"] }
      }
    }
    idempotency = { hash_key = "id", ttl_attribute = "expiration", collections = { records = {} } }
  }
}
