locals {
  function_authorize = {
    limits = {
      timeout_seconds = 5
      memory_mb       = 256
    }

    uses = [
      local.tenants.api_keys.get,
    ]

    settings = {
      ROUTE_SCOPES = jsonencode(merge(module.api.route_scopes, module.socket_api.route_scopes))
    }

    raises_by_design = true # an authorizer raises for every wrong key; the API's 5xx alarm shows a broken one
  }
}
