# What several functions are told and may do together: `locals.tf` hands it out.
locals {
  memory        = { MEMORY_TABLE = module.tables.names.memory }
  conversations = { CONVERSATIONS_TABLE = module.tables.names.conversations }
  bus           = { BUS_NAME = module.event_bus.name }
  may           = module.tables.grants
  # Texts too large for an item: whoever writes an item also removes what it pointed to.
  spill = { environment = { ARCHIVE_BUCKET = module.archive.name }, grants = values(module.archive.grants.spill) }
  # The hot tier, where there is one: whoever reads, adds to or deletes conversations reaches it from inside the network.
  hot = {
    environment = merge({}, [for tier in module.hot_tier : { HOT_TIER_URL = tier.url, HOT_TIER_CACHE = tier.username }]...)
    grants      = [for tier in module.hot_tier : tier.grants.connect]
  }
  # Search: the embedding model in use and the functions' login to Postgres.
  search = {
    EMBEDDING_MODEL_ID     = var.model.embedding_ids[0]
    POSTGRES_HOST          = module.vector_store.pooled.host
    POSTGRES_PORT          = module.vector_store.pooled.port
    POSTGRES_DATABASE      = module.vector_store.pooled.database
    POSTGRES_APP_SECRET_ID = module.vector_store.secret_ids.app
  }

  # Whoever calls a model writes down what it cost, and looks first whether its tenant may still spend.
  ledger = {
    environment = { TENANTS_TABLE = module.tables.names.tenants, MODEL_PRICES = jsonencode(var.model.prices) }
    grants      = [local.may.tenants.tenants.get, local.may.tenants.usage.read, local.may.tenants.usage.write]
  }

  # The doors count how fast each tenant goes.
  rates = {
    environment = { TENANTS_TABLE = module.tables.names.tenants, TENANT_RATES = jsonencode(var.api.tenant) }
    grants      = [local.may.tenants.rates.write]
  }

  # Whoever writes users' data asks first whether it was erased.
  erased = { environment = { TENANTS_TABLE = module.tables.names.tenants }, grants = [local.may.tenants.erased.read] }

  # For how many days copies are kept that no query reaches: what a receipt names.
  kept_days = {
    bus_archive      = var.protection.archive_retention_days
    table_backups    = var.protection.protected ? var.protection.recovery_days : 0
    removed_texts    = module.archive.noncurrent_days # of conversations that were deleted before
    queues           = module.event_bus.message_days
    database_backups = try(coalesce(var.postgres.cluster.backup_days, 7), 7)
  }

  # Chat searches through memory, by name: its own network has a way to the model, memory's has one to Postgres (ADR 27).
  recall = {
    target = contains(var.runtime.snap_start, "memory") ? "${local.prefix}-memory:live" : "${local.prefix}-memory"
    grant  = [{ Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = ["arn:${local.account.partition}:lambda:${local.account.region}:${local.account.id}:function:${local.prefix}-memory", "arn:${local.account.partition}:lambda:${local.account.region}:${local.account.id}:function:${local.prefix}-memory:live"] }]
  }

  # Changes that search and listeners care about: facts, documents, and episodes, which alone have an order by user.
  searchable = [
    { Keys = { sk = { S = [{ prefix = "FACT#" }] } } },
    { Keys = { sk = { S = ["DOC"] } } },
    { NewImage = { user_sk = { S = [{ exists = true }] } } },
    { OldImage = { user_sk = { S = [{ exists = true }] } } },
  ]
}
