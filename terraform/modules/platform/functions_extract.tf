locals {
  function_extract = {
    limits = { timeout_seconds = local.extract_seconds }
    queues = ["extract", "extract-surplus"]

    uses = [
      local.memory.extraction.read,
      local.memory.extraction.write,
      local.conversations.unprocessed_messages.delete,
      local.erasure_ledger,
      local.spill.read,
      local.spill.write,
      local.spill.delete,
      local.language_model,
      local.metering,
      local.tenants.settings.get,
      local.source_queues.extract,
      local.overflow_queues.extract,
      local.dead_letter_queues.extract,
      local.quarantine,
    ]

    settings = {
      EXTRACT_MODEL_ID          = var.model.extract_id
      EXTRACT_FALLBACK_MODEL_ID = var.model.extract_fallback_id
      EXTRACT_SHARE             = var.runtime.extract_share
      EPISODE_SHARDS            = var.runtime.episode_shards
    }
  }
}
