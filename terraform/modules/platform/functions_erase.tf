# Erase alone removes users' items and object versions; it reads their content to find the owner. An erasure that
# takes longer than one run is continued by an event on the bus, and a message that must wait goes back to erase's own
# queue.
locals {
  function_erase = {
    limits = {
      timeout_seconds = local.erase_seconds
      memory_mb       = 2048
      storage_mb      = 4096

      recursion_allowed = true # an erasure of many rounds
    }
    queues = ["erase"]
    in_vpc = true
    layers = ["duckdb"]

    works_to_deadline = true # what is left is continued by an event

    uses = concat(local.hot_tier, [
      local.memory.user_data.read,
      local.memory.user_data.write,
      local.memory.user_data.delete,
      local.memory.catalog.read,
      local.memory.catalog.write,
      local.memory.catalog.delete,
      local.conversations.conversations.read,
      local.conversations.turns.read,
      local.conversations.turns.write,
      local.conversations.turns.delete,
      local.erasures.read,
      local.erasures.write,
      local.tenants.erasure_ledger.delete,
      local.archived_episodes.read,
      local.archived_episodes.write,
      local.archived_episodes.restore,
      local.erasable_versions,
      local.search_index,
      local.bus,
      local.source_queues.erase,
      local.dead_letter_search,
    ])

    settings = {
      ERASURE_SETTLE_SECONDS = var.protection.erasure_settle_seconds
      COPIES_KEPT_DAYS       = jsonencode(local.kept_days)
    }
  }

  # How many days each copy outlives an erasure that no query can reach; the receipt of an erasure states them.
  kept_days = {
    bus_archive      = var.protection.archive_retention_days
    table_backups    = var.protection.protected ? var.protection.recovery_days : 0
    removed_texts    = module.archive.noncurrent_days # of conversations that were deleted before the erasure
    queues           = module.event_bus.dead_letter_days
    database_backups = try(coalesce(var.postgres.cluster.backup_days, 7), 7)
    database_logs    = module.vector_store.log_days # an error quotes the row that failed
  }
}
