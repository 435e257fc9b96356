# Export reads one user's data from every store; it writes only the file and the progress of its job. An export that
# takes longer than one run is continued by an event on the bus.
locals {
  function_export = {
    limits = {
      timeout_seconds = local.export_seconds
      memory_mb       = 1024

      recursion_allowed = true # an export of many rounds
    }
    queues = ["export"]
    in_vpc = true
    layers = ["duckdb"]

    works_to_deadline = true # what is left is continued by an event

    uses = [
      local.memory.facts.read,
      local.memory.episodes.read,
      local.memory.documents.read,
      local.memory.states.read,
      local.memory.catalog.read,
      local.conversations.conversations.read,
      local.tenants.jobs.read,
      local.tenants.jobs.write,
      local.erasure_ledger,
      local.archived_episodes.read,
      local.archived_episodes.restore,
      local.spill.read,
      local.exports.write,
      local.search_index,
      local.bus,
    ]

    settings = {
      EPISODE_SHARDS = var.runtime.episode_shards
    }
  }
}
