locals {
  function_index = {
    limits = { timeout_seconds = 120 }
    in_vpc = true

    streams = {
      memory        = local.searchable_changes
      conversations = [jsonencode({ dynamodb = { Keys = { sk = { S = [{ prefix = "SUMMARY#" }] } } } })]
    }

    uses = [
      local.memory.facts.read,
      local.conversations.conversations.read,
      local.erasure_ledger,
      local.spill.read,
      local.spill.delete,
      local.search_index,
      local.embedding_model,
      local.bus,
      local.metering,
      local.quarantine,
    ]

    settings = {}
  }

  # The changes that search and listeners need: facts, documents and episodes. Only episodes are in the index by user.
  searchable_changes = [for change in [
    { Keys = { sk = { S = [{ prefix = "FACT#" }] } } },
    { Keys = { sk = { S = ["DOC"] } } },
    { NewImage = { user_sk = { S = [{ exists = true }] } } },
    { OldImage = { user_sk = { S = [{ exists = true }] } } },
  ] : jsonencode({ dynamodb = change })]
}
