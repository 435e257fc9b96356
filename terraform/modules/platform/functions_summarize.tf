locals {
  function_summarize = {
    limits = { timeout_seconds = local.summarize_seconds }
    queues = ["summarize"]

    uses = [
      local.conversations.conversations.read,
      local.conversations.conversations.write,
      local.language_model,
      local.metering,
    ]

    settings = {
      SUMMARIZE_MODEL_ID = var.model.summarize_id
    }
  }
}
