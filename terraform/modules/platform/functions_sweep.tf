locals {
  function_sweep = {
    limits = { timeout_seconds = 120 }

    streams = {
      conversations = [jsonencode({ dynamodb = { NewImage = { deleted_at = { S = [{ exists = true }] } } } })]
    }

    uses = [
      local.conversations.conversations.read,
      local.conversations.conversations.delete,
      local.spill.delete,
    ]

    settings = {}
  }
}
