data "aws_caller_identity" "this" {}
data "aws_partition" "this" {}
data "aws_region" "this" {}

locals {
  prefix  = "membus-${var.environment}"
  account = { partition = data.aws_partition.this.partition, region = data.aws_region.this.name, id = data.aws_caller_identity.this.account_id }
  openapi = file("${path.module}/../../../functions/api/openapi.json")
  # The functions' side of the network, where there is one.
  inside  = [for network in module.network : { subnet_ids = network.subnet_ids, security_group_ids = [network.functions_security_group_id] }]
  outward = [for network in module.network : { subnet_ids = network.subnet_ids, security_group_ids = concat([network.functions_security_group_id], network.outward_security_group_ids) }]
  stores  = [for network in module.network : { vpc_id = network.vpc_id, subnet_ids = network.subnet_ids, client_security_group_id = network.functions_security_group_id }]

  extract_seconds   = 60
  summarize_seconds = 120
  erase_seconds     = 300
  export_seconds    = 900
  # How many batches at once, of a route and of what was set aside from it; Lambda has two consumers at least.
  consumers = { false = var.runtime.extract_concurrency, true = max(2, floor(var.runtime.extract_concurrency / 2)) }
  routes = {
    extract = {
      pattern                    = jsonencode({ source = [{ anything-but = ["membus.announcements"] }] })
      max_receive_count          = 12 # a part that is down for an hour costs nobody a dead letter: functions/extract/delivery.py
      visibility_timeout_seconds = 6 * local.extract_seconds + 1
      surplus                    = true # what one tenant sends beyond its share: functions/extract/delivery.py
    }
    summarize = {
      pattern                    = jsonencode({ source = ["membus.announcements"], detail-type = ["summary.due"] })
      max_receive_count          = 5 # an hour; while a summary stays due, every turn asks for it again
      visibility_timeout_seconds = 6 * local.summarize_seconds + 1
    }
    erase = {
      pattern                    = jsonencode({ source = ["membus.announcements"], detail-type = ["erasure.due"] })
      max_receive_count          = 12 # six hours: a store that is away for that long is somebody's night already
      visibility_timeout_seconds = 6 * local.erase_seconds + 1
    }
    export = {
      pattern                    = jsonencode({ source = ["membus.announcements"], detail-type = ["export.due"] })
      max_receive_count          = 5
      visibility_timeout_seconds = 6 * local.export_seconds + 1
    }
  }
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
  limits = each.value.limits
  grants = flatten([each.value.grants, module.event_bus.grants.send.failures])

  queues = { for route in try(each.value.queues, []) : route => {
    arn                        = module.event_bus.queue_arns[route]
    visibility_timeout_seconds = local.routes[trimsuffix(route, "-surplus")].visibility_timeout_seconds
    maximum_concurrency        = local.consumers[endswith(route, "-surplus")]
  } }

  streams = { for table, patterns in try(each.value.streams, {}) : table => {
    arn      = module.tables.streams[table].arn
    patterns = patterns
  } }

  code = {
    path       = "${var.runtime.artifacts}/functions/${each.key}.zip"
    handler    = "functions.${each.key}.handler.handler"
    layer_arns = [for layer in concat(["membus"], try(each.value.layers, [])) : module.layers[layer].arn]
    snap_start = contains(var.runtime.snap_start, each.key)
  }

  environment = merge(each.value.environment, {
    ENVIRONMENT                  = var.environment
    POWERTOOLS_SERVICE_NAME      = each.key
    POWERTOOLS_METRICS_NAMESPACE = "membus"
    POWERTOOLS_LOG_LEVEL         = var.runtime.log_level
  }, var.runtime.extra_environment)

  network = try(each.value.inside, false) ? one(try(each.value.outward, false) ? local.outward : local.inside) : null
  operations = merge(var.operations, {
    failures_arn       = module.event_bus.queue_arns.failures
    errors_are_answers = try(each.value.errors_are_answers, false)
  })
}

module "api" {
  source = "../api"

  name       = "${local.prefix}-api"
  openapi    = local.openapi
  targets    = { for name in ["memory", "chat"] : name => module.functions[name].target }
  fallback   = "memory"
  authorizer = { target = module.functions["authorize"].target, ttl_seconds = var.api.authorizer_ttl_seconds }
  throttling = { rate = var.api.rate, burst = var.api.burst }
  operations = var.operations
}

# The schema is as old as the code that uses it: a new migrate, or a new server, migrates within the same apply.
resource "aws_lambda_invocation" "migrate" {
  function_name = module.functions["migrate"].name
  input         = jsonencode({})

  triggers = {
    code   = filebase64sha256("${var.runtime.artifacts}/functions/migrate.zip")
    server = jsonencode(module.vector_store.writer)
    ready  = jsonencode(module.vector_store.ready)
  }

  # Its secrets are reached through the network's endpoints, which nothing above names.
  depends_on = [module.network, module.vector_store]
}
