locals {
  function_archive = {
    limits = {
      timeout_seconds = 900
      memory_mb       = 2048
      storage_mb      = 4096
    }
    works_to_deadline = true # a run ends a minute before its timeout, and the next one goes on

    layers = ["duckdb"]

    uses = [
      local.memory.unarchived.read,
      local.memory.unarchived.write,
      local.memory.catalog.read,
      local.memory.catalog.write,
      local.memory.catalog.delete,
      local.erasure_ledger,
      local.archived_episodes.read,
      local.archived_episodes.write,
      local.archived_episodes.delete,
      local.archived_episodes.restore,
    ]

    settings = {
      EPISODE_HOT_DAYS   = var.protection.hot_days
      ARCHIVE_QUIET_DAYS = var.protection.quiet_days
    }
  }
}
