module "socket_api" {
  source = "../socket_api"

  name        = "${local.prefix}-socket"
  target      = module.functions["chat"].target
  authorizer  = module.functions["authorize"].target
  gateway_url = var.api.gateway_url
  operations  = var.operations

  ip_address_type = try(var.network.egress, "endpoints") == "ipv6" ? "dualstack" : null

  throttling = {
    rate  = var.api.rate
    burst = var.api.burst
  }
}
