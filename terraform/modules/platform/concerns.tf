# Concerns: what a function can use. Each is one object, `{environment, grants}`: the variables that name a resource
# and the IAM statements that permit its use, so a function gets both or neither. A function lists its concerns under
# `uses`.
locals {
  # By table, collection and verb: `local.memory.facts.read`, `local.tenants.api_keys.get`.
  tables = { for table, collections in module.tables.grants : table => {
    for collection, verbs in collections : collection => {
      for verb, grants in verbs : verb => {
        environment = { "${upper(table)}_TABLE" = module.tables.names[table] }
        grants      = grants
      }
    }
  } }
  memory        = local.tables.memory
  conversations = local.tables.conversations
  tenants       = local.tables.tenants
  idempotency   = local.tables.idempotency

  # An erasure begins as one transaction: its job, and the entry in the ledger that every writer reads.
  erasures       = local.tenants.erasures
  erasure_ledger = local.tenants.erasure_ledger.read

  # By kind of object and verb: `local.spill.write`. All of them are in one bucket.
  objects = { for kind in ["spill", "cold", "exports"] : kind => {
    for verb, grants in module.archive.grants[kind] : verb => {
      environment = { ARCHIVE_BUCKET = module.archive.name }
      grants      = grants
    }
  } }
  spill             = local.objects.spill # texts too large for an item
  archived_episodes = local.objects.cold
  exports           = local.objects.exports

  # All versions of the objects that hold a user's data.
  erasable_versions = {
    environment = { ARCHIVE_BUCKET = module.archive.name }
    grants      = module.archive.grants.erase
  }

  # A list of one concern, or of none where the environment has no hot tier.
  hot_tier = [for tier in module.hot_tier : {
    environment = {
      HOT_TIER_URL   = tier.url
      HOT_TIER_CACHE = tier.username
    }
    grants = tier.grants.connect
  }]

  # The vectors in Postgres, with the functions' login. Each row belongs to an embedding model, so readers name it too.
  search_index = {
    environment = {
      EMBEDDING_MODEL_ID     = var.model.embedding_ids[0]
      POSTGRES_HOST          = module.vector_store.pooled.host
      POSTGRES_PORT          = module.vector_store.pooled.port
      POSTGRES_DATABASE      = module.vector_store.pooled.database
      POSTGRES_APP_SECRET_ID = module.vector_store.secret_ids.app
    }
    grants = module.vector_store.grants.app
  }

  # The schema of that database, on the server itself, with the owner's login.
  search_schema = {
    environment = {
      EMBEDDING_MODEL_ID       = var.model.embedding_ids[0]
      POSTGRES_HOST            = module.vector_store.writer.host
      POSTGRES_PORT            = module.vector_store.writer.port
      POSTGRES_DATABASE        = module.vector_store.writer.database
      POSTGRES_OWNER_SECRET_ID = module.vector_store.secret_ids.owner
      POSTGRES_APP_SECRET_ID   = module.vector_store.secret_ids.app
    }
    grants = concat(module.vector_store.grants.owner, module.vector_store.grants.app)
  }

  language_model = {
    environment = module.model.environment
    grants      = module.model.grants.ask
  }

  embedding_model = {
    environment = { EMBEDDING_MODEL_ID = var.model.embedding_ids[0] }
    grants      = module.model.grants.embed
  }

  # A function that calls a model checks the tenant's budget first and records the cost afterwards.
  metering = {
    environment = {
      TENANTS_TABLE = module.tables.names.tenants
      MODEL_PRICES  = jsonencode(var.model.prices)
    }
    grants = concat(
      local.tenants.tenants.get.grants,
      local.tenants.usage.read.grants,
      local.tenants.usage.write.grants,
    )
  }

  # The functions behind the two APIs count the requests of each tenant.
  rate_limits = {
    environment = {
      TENANTS_TABLE = module.tables.names.tenants
      TENANT_RATES  = jsonencode(var.api.tenant)
    }
    grants = local.tenants.rate_limits.write.grants
  }

  # The HMAC key that signs page cursors.
  cursors = {
    environment = { CURSOR_KEY_ID = module.keys.cursors_id }
    grants      = module.keys.grants.cursors.sign
  }
}
