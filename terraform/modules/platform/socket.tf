locals {
  # Streams: chat keeps connections, looks at their key with every message, and has itself invoked for what lasts (ADR 30).
  socket = {
    environment = { SOCKET_URL = module.socket_api.push_url, TURNS_FUNCTION = contains(var.runtime.snap_start, "chat") ? "${local.prefix}-chat:live" : "${local.prefix}-chat" }
    grants = [
      module.socket_api.grants.push, local.may.tenants.keys.get,
      local.may.conversations.connections.get, local.may.conversations.connections.write, local.may.conversations.connections.delete,
      [{ Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [for suffix in ["", ":live"] : "arn:${local.account.partition}:lambda:${local.account.region}:${local.account.id}:function:${local.prefix}-chat${suffix}"], Condition = {} }],
    ]
  }
}

module "socket_api" {
  source = "../socket_api"

  name        = "${local.prefix}-socket"
  target      = module.functions["chat"].target
  authorizer  = module.functions["authorize"].target
  gateway_url = var.api.gateway_url
  throttling  = { rate = var.api.rate, burst = var.api.burst }
  operations  = var.operations
}
