data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  prefix  = "membus-${var.environment}"
  openapi = file("${path.module}/../../../functions/api/openapi.json")

  account = {
    partition = data.aws_partition.this.partition
    region    = data.aws_region.this.name
    id        = data.aws_caller_identity.this.account_id
  }

  limits = { for name, function in local.functions : name => merge(function.limits, {
    reserved_concurrency = lookup(var.runtime.reserved_concurrency, name, -1)
  }) }
}

module "layers" {
  source   = "../layer"
  for_each = toset(["membus", "duckdb"])

  name = "${local.prefix}-${each.key}"
  path = "${var.runtime.artifacts}/layers/${each.key}.zip"
}

module "functions" {
  source   = "../function"
  for_each = local.functions

  name   = "${local.prefix}-${each.key}"
  limits = local.limits[each.key]
  uses   = each.value.uses

  triggers = {
    queues = { for route in try(each.value.queues, []) : route => {
      arn                        = module.event_bus.queue_arns[route]
      visibility_timeout_seconds = local.routes[trimsuffix(route, "-surplus")].visibility_timeout_seconds
      batch_size                 = local.consumers[route].batch_size
      maximum_concurrency        = local.consumers[route].maximum_concurrency
    } }

    streams = { for table, patterns in try(each.value.streams, {}) : table => {
      arn      = module.tables.streams[table].arn
      patterns = patterns
    } }

    grants = flatten([
      [for route in try(each.value.queues, []) : module.event_bus.grants.consume[route]],
      [for table in keys(try(each.value.streams, {})) : module.tables.streams[table].grants],
      module.event_bus.grants.send.failures,
    ])
  }

  code = {
    path       = "${var.runtime.artifacts}/functions/${each.key}.zip"
    handler    = "functions.${each.key}.handler.handler"
    layer_arns = [for layer in concat(["membus"], try(each.value.layers, [])) : module.layers[layer].arn]
    snap_start = contains(var.runtime.snap_start, each.key)
  }

  settings = merge(each.value.settings, try(each.value.in_vpc, false) ? local.network_settings : {}, {
    ENVIRONMENT                  = var.environment
    POWERTOOLS_SERVICE_NAME      = each.key
    POWERTOOLS_METRICS_NAMESPACE = "membus"
    POWERTOOLS_LOG_LEVEL         = var.runtime.log_level
  }, var.runtime.extra_environment)

  network = (
    !try(each.value.in_vpc, false) ? null
    : try(each.value.has_egress, false) ? one(local.networks.egress)
    : one(local.networks.functions)
  )

  operations = merge(var.operations, {
    failures_arn      = module.event_bus.queue_arns.failures
    raises_by_design  = try(each.value.raises_by_design, false)
    works_to_deadline = try(each.value.works_to_deadline, false)
  })
}

module "api" {
  source = "../api"

  name       = "${local.prefix}-api"
  openapi    = local.openapi
  targets    = { for name in ["api", "chat"] : name => module.functions[name].target }
  fallback   = "api"
  operations = var.operations

  authorizer = {
    target      = module.functions["authorize"].target
    ttl_seconds = var.api.authorizer_ttl_seconds
  }

  throttling = {
    rate  = var.api.rate
    burst = var.api.burst
  }
}

# The schema must match the code that uses it, so a new migrate or a new server migrates within the same apply.
resource "aws_lambda_invocation" "migrate" {
  function_name = module.functions["migrate"].name
  input         = jsonencode({})

  triggers = {
    code   = filebase64sha256("${var.runtime.artifacts}/functions/migrate.zip")
    server = jsonencode(module.vector_store.writer)
    ready  = jsonencode(module.vector_store.ready)
  }

  # Migrate reads its secrets through the network's endpoints, which nothing above names.
  depends_on = [module.network, module.vector_store]
}
