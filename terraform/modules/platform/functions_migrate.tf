locals {
  function_migrate = {
    limits = { timeout_seconds = 900 }
    in_vpc = true

    uses = [
      local.search_schema,
    ]

    settings = {
      LARGE_SCOPE_ROWS = var.runtime.large_scope_rows
    }
  }
}
