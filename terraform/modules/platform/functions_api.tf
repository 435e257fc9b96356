locals {
  function_api = {
    limits = { timeout_seconds = 29 }
    in_vpc = true
    layers = ["duckdb"]

    uses = concat(local.hot_tier, [
      local.memory.extraction.read, # a correction is an event: it goes where extraction writes
      local.memory.extraction.write,
      local.memory.episodes.read,
      local.memory.documents.read,
      local.memory.documents.write,
      local.memory.states.read,
      local.memory.states.write,
      local.memory.states.delete,
      local.memory.catalog.read,
      local.conversations.conversations.read,
      local.conversations.conversations.write,
      local.conversations.unprocessed_messages.write,
      local.idempotency.records.read,
      local.idempotency.records.write,
      local.idempotency.records.delete,
      local.erasures.read,
      local.erasures.write,
      local.archived_episodes.read,
      local.archived_episodes.restore,
      local.spill.read,
      local.spill.write,
      local.spill.delete,
      local.exports.read, # signs the address at which the file is fetched
      local.search_index,
      local.embedding_model,
      local.bus,
      local.cursors,
      local.metering,
      local.tenants.settings.get,
      local.tenants.settings.write,
      local.rate_limits,
    ])

    settings = {
      EPISODE_SHARDS      = var.runtime.episode_shards
      STATE_LIFETIME_DAYS = var.runtime.state_lifetime_days
    }
  }
}
