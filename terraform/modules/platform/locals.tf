# THE map: every function, what it is told and what it may do. Whatever is not listed here, nobody may.
locals {
  functions = {
    authorize = {
      limits      = { timeout_seconds = 5, memory_mb = 256 }
      environment = { TENANTS_TABLE = module.tables.names.tenants, ROUTE_SCOPES = jsonencode(merge(module.api.route_scopes, module.socket_api.route_scopes)) }
      grants      = [local.may.tenants.keys.get]

      errors_are_answers = true # it raises for every wrong key; the API's own alarm tells of a broken authorizer
    }

    memory = {
      limits      = { timeout_seconds = 29 }
      environment = merge(local.memory, local.conversations, local.bus, local.search, { IDEMPOTENCY_TABLE = module.tables.names.idempotency, CURSOR_KEY_ID = module.keys.cursors_id, STATE_LIFETIME_DAYS = var.runtime.state_lifetime_days, EPISODE_SHARDS = var.runtime.episode_shards }, local.spill.environment, local.ledger.environment, local.hot.environment, local.rates.environment)
      grants = [
        local.hot.grants, local.rates.grants,
        local.may.memory.learning.read, local.may.memory.learning.write,
        local.may.conversations.conversations.read, local.may.conversations.conversations.write, local.may.conversations.fresh.write,
        local.may.idempotency.records.read, local.may.idempotency.records.write, local.may.idempotency.records.delete,
        local.may.memory.states.read, local.may.memory.states.write, local.may.memory.states.delete,
        module.event_bus.grants.put, module.keys.grants.cursors.sign, local.spill.grants,
        local.may.memory.cold.read, module.archive.grants.cold.read, module.archive.grants.cold.thaw,
        local.may.memory.documents.read, local.may.memory.documents.write, local.may.memory.episodes.read,
        module.vector_store.grants.app, module.model.grants.embed, local.ledger.grants,
        local.may.tenants.erasing.read, local.may.tenants.erasing.write, module.archive.grants.exports.read,
      ]
      inside = true
      layers = ["duckdb"]
    }

    extract = {
      limits      = { timeout_seconds = local.extract_seconds }
      environment = merge(local.memory, local.conversations, module.model.environment, { EXTRACT_MODEL_ID = var.model.extract_id, EXTRACT_FALLBACK_MODEL_ID = var.model.extract_fallback_id, QUARANTINE_QUEUE_URL = module.event_bus.queue_urls.quarantine, DEAD_LETTER_QUEUE_URL = module.event_bus.queue_urls.extract-dlq, SOURCE_QUEUE_URL = module.event_bus.queue_urls.extract, SURPLUS_QUEUE_URL = module.event_bus.queue_urls.extract-surplus, EXTRACT_SHARE = var.runtime.extract_share, EPISODE_SHARDS = var.runtime.episode_shards }, local.spill.environment, local.ledger.environment)
      grants = [
        local.may.memory.learning.read, local.may.memory.learning.write, local.may.conversations.fresh.delete,
        module.event_bus.grants.consume.extract, module.event_bus.grants.consume.extract-surplus, module.event_bus.grants.wait.extract-surplus,
        module.event_bus.grants.send.quarantine, module.event_bus.grants.send.extract-dlq, module.model.grants.ask, local.spill.grants, local.ledger.grants, local.erased.grants,
      ]
      queues = ["extract", "extract-surplus"]
    }

    index = {
      limits      = { timeout_seconds = 120 }
      environment = merge(local.memory, local.conversations, local.bus, local.search, { QUARANTINE_QUEUE_URL = module.event_bus.queue_urls.quarantine }, local.spill.environment, local.ledger.environment)
      grants = [
        module.tables.streams.memory.grants, module.tables.streams.conversations.grants,
        local.may.memory.facts.read, local.may.conversations.conversations.read, module.vector_store.grants.app, module.model.grants.embed,
        module.event_bus.grants.put, module.event_bus.grants.send.quarantine, module.archive.grants.spill.read, module.archive.grants.spill.delete, local.ledger.grants, local.erased.grants,
      ]
      streams = {
        memory        = [for change in local.searchable : jsonencode({ dynamodb = change })]
        conversations = [jsonencode({ dynamodb = { Keys = { sk = { S = [{ prefix = "SUMMARY#" }] } } } })]
      }
      inside = true
    }

    chat = {
      limits      = { timeout_seconds = 120, memory_mb = 1024 }
      environment = merge(local.memory, local.conversations, local.bus, module.model.environment, { CHAT_MODEL_ID = var.model.chat_id, RECALL_FUNCTION = local.recall.target, CHAT_FALLBACK_MODEL_ID = var.model.chat_fallback_id }, local.spill.environment, local.ledger.environment, local.hot.environment, local.socket.environment, local.rates.environment)
      grants = [
        local.recall.grant, local.rates.grants, local.socket.grants, local.may.memory.cold.read, module.archive.grants.cold.read, module.archive.grants.cold.thaw,
        module.archive.grants.spill.read, module.archive.grants.spill.write,
        local.may.memory.facts.read, local.may.conversations.turns.read, local.may.conversations.turns.write,
        module.event_bus.grants.put, module.model.grants.ask, local.ledger.grants, local.hot.grants, local.erased.grants,
      ]
      inside  = var.hot_tier != null
      outward = true
      layers  = ["duckdb"]
    }

    sweep = {
      limits      = { timeout_seconds = 120 }
      environment = merge(local.conversations, local.spill.environment)
      grants = [
        module.tables.streams.conversations.grants,
        local.may.conversations.conversations.read, local.may.conversations.conversations.delete, module.archive.grants.spill.delete,
      ]
      streams = { conversations = [jsonencode({ dynamodb = { NewImage = { deleted_at = { S = [{ exists = true }] } } } })] }
    }

    summarize = {
      limits      = { timeout_seconds = local.summarize_seconds }
      environment = merge(local.conversations, module.model.environment, { SUMMARIZE_MODEL_ID = var.model.summarize_id }, local.ledger.environment)
      grants = [
        local.may.conversations.conversations.read, local.may.conversations.conversations.write,
        module.event_bus.grants.consume.summarize, module.model.grants.ask, local.ledger.grants,
      ]
      queues = ["summarize"]
    }

    archive = {
      limits      = { timeout_seconds = 900, memory_mb = 2048, storage_mb = 4096 }
      environment = merge(local.memory, local.spill.environment, local.erased.environment, { EPISODE_HOT_DAYS = var.protection.hot_days, ARCHIVE_QUIET_DAYS = var.protection.quiet_days })
      grants = [
        local.may.memory.archiving.read, local.may.memory.archiving.write,
        local.may.memory.cold.read, local.may.memory.cold.write, local.may.memory.cold.delete,
        values(module.archive.grants.cold), local.erased.grants,
      ]
      layers = ["duckdb"]
    }

    # The only one that removes users' items and versions of objects; it reads what is inside to tell whose it is. Its rest it asks for on the bus, its own queue holds back what waits.
    erase = {
      limits = { timeout_seconds = local.erase_seconds, memory_mb = 2048, storage_mb = 4096 }
      environment = merge(local.memory, local.conversations, local.bus, local.search, local.spill.environment, local.erased.environment, local.hot.environment, {
        SOURCE_QUEUE_URL       = module.event_bus.queue_urls.erase
        ENDED_QUEUE_URLS       = jsonencode({ for name in module.event_bus.end_names : name => module.event_bus.queue_urls[name] })
        ERASURE_SETTLE_SECONDS = var.protection.erasure_settle_seconds
        COPIES_KEPT_DAYS       = jsonencode(local.kept_days)
      })
      grants = [
        local.may.tenants.erasing.read, local.may.tenants.erasing.write, local.may.tenants.erased.delete,
        local.may.memory.users.read, local.may.memory.users.write, local.may.memory.users.delete,
        local.may.conversations.conversations.read, local.may.conversations.turns.read, local.may.conversations.turns.write, local.may.conversations.turns.delete,
        local.may.memory.cold.read, local.may.memory.cold.write, local.may.memory.cold.delete,
        module.archive.grants.cold.read, module.archive.grants.cold.write, module.archive.grants.cold.thaw, module.archive.grants.erase,
        module.vector_store.grants.app, local.hot.grants,
        module.event_bus.grants.consume.erase, module.event_bus.grants.wait.erase, module.event_bus.grants.put, module.event_bus.grants.search,
      ]
      queues = ["erase"]
      layers = ["duckdb"]
      inside = true
    }

    # It reads what is one user's, from every store, and writes nothing but the archive and how far its job came; one that takes longer it asks for anew on the bus.
    export = {
      limits      = { timeout_seconds = local.export_seconds, memory_mb = 1024 }
      environment = merge(local.memory, local.conversations, local.bus, local.search, local.spill.environment, local.erased.environment, { EPISODE_SHARDS = var.runtime.episode_shards })
      grants = [
        local.may.tenants.jobs.read, local.may.tenants.jobs.write, local.erased.grants,
        local.may.memory.facts.read, local.may.memory.episodes.read, local.may.memory.documents.read, local.may.memory.states.read, local.may.memory.cold.read,
        local.may.conversations.conversations.read, module.vector_store.grants.app,
        module.archive.grants.cold.read, module.archive.grants.cold.thaw, module.archive.grants.spill.read, module.archive.grants.exports.write,
        module.event_bus.grants.consume.export, module.event_bus.grants.put,
      ]
      queues = ["export"]
      layers = ["duckdb"]
      inside = true
    }

    migrate = {
      limits      = { timeout_seconds = 900 }
      environment = { LARGE_SCOPE_ROWS = var.runtime.large_scope_rows, EMBEDDING_MODEL_ID = var.model.embedding_ids[0], POSTGRES_HOST = module.vector_store.writer.host, POSTGRES_PORT = module.vector_store.writer.port, POSTGRES_DATABASE = module.vector_store.writer.database, POSTGRES_OWNER_SECRET_ID = module.vector_store.secret_ids.owner, POSTGRES_APP_SECRET_ID = module.vector_store.secret_ids.app }
      grants      = [module.vector_store.grants.owner, module.vector_store.grants.app]
      inside      = true
    }
  }
}
