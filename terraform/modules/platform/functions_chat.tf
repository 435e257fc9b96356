locals {
  function_chat = {
    limits = {
      timeout_seconds = 120
      memory_mb       = 1024
    }
    in_vpc     = var.hot_tier != null
    has_egress = true # its model and the sockets it answers are outside the VPC
    layers     = ["duckdb"]

    works_to_deadline = true # a turn in the background has all the time but the last seconds

    uses = concat(local.hot_tier, [
      local.memory.facts.read,
      local.memory.catalog.read,
      local.conversations.turns.read,
      local.conversations.turns.write,
      local.conversations.connections.get,
      local.conversations.connections.write,
      local.conversations.connections.delete,
      local.tenants.api_keys.get, # the key of an open socket, again with every message
      local.erasure_ledger,
      local.archived_episodes.read,
      local.archived_episodes.restore,
      local.spill.read,
      local.spill.write,
      local.memory_search,
      local.language_model,
      local.sockets,
      local.turn_jobs,
      local.bus,
      local.metering,
      local.tenants.settings.get,
      local.rate_limits,
    ])

    settings = {
      CHAT_MODEL_ID          = var.model.chat_id
      CHAT_FALLBACK_MODEL_ID = var.model.chat_fallback_id
    }
  }
}
