# Concerns of the bus, its queues, sockets, and functions that invoke functions; concerns.tf says what a concern is.
locals {
  bus = {
    environment = { BUS_NAME = module.event_bus.name }
    grants      = module.event_bus.grants.put
  }

  # The queue that invokes a function, for one that changes when a message returns or sends it again.
  source_queues = {
    extract = {
      environment = { SOURCE_QUEUE_URL = module.event_bus.queue_urls.extract }
      grants      = module.event_bus.grants.consume.extract
    }
    erase = {
      environment = { SOURCE_QUEUE_URL = module.event_bus.queue_urls.erase }
      grants      = concat(module.event_bus.grants.consume.erase, module.event_bus.grants.requeue.erase)
    }
  }

  # Messages that a tenant sends beyond its share.
  overflow_queues = {
    extract = {
      environment = { SURPLUS_QUEUE_URL = module.event_bus.queue_urls.extract-surplus }
      grants      = module.event_bus.grants.requeue.extract-surplus
    }
  }

  # The dead-letter queue of a route, for a function that gives a message up before SQS does.
  dead_letter_queues = {
    extract = {
      environment = { DEAD_LETTER_QUEUE_URL = module.event_bus.queue_urls.extract-dlq }
      grants      = module.event_bus.grants.send.extract-dlq
    }
  }

  # Messages that no retry can help.
  quarantine = {
    environment = { QUARANTINE_QUEUE_URL = module.event_bus.queue_urls.quarantine }
    grants      = module.event_bus.grants.send.quarantine
  }

  # Every dead-letter queue: an erasure removes the user's messages from them.
  dead_letter_search = {
    environment = {
      ENDED_QUEUE_URLS = jsonencode({
        for name in module.event_bus.dead_letter_names : name => module.event_bus.queue_urls[name]
      })
    }
    grants = module.event_bus.grants.search
  }

  sockets = {
    environment = { SOCKET_URL = module.socket_api.push_url }
    grants      = module.socket_api.grants.push
  }

  # ARNs are computed from names: a function that names another, or itself, would otherwise be a circle. With a
  # snapshot the alias `live` is invoked, so a grant covers the function with and without it.
  location     = "${local.account.region}:${local.account.id}"
  function_arn = "arn:${local.account.partition}:lambda:${local.location}:function:${local.prefix}"
  invocations = { for name in ["api", "chat"] : name => {
    target = contains(var.runtime.snap_start, name) ? "${local.prefix}-${name}:live" : "${local.prefix}-${name}"
    grants = [{
      Effect    = "Allow"
      Action    = ["lambda:InvokeFunction"]
      Resource  = ["${local.function_arn}-${name}", "${local.function_arn}-${name}:live"]
      Condition = {}
    }]
  } }

  # Chat searches by invoking `api`: the network of api leads to Postgres, that of chat to the model (ADR 27).
  memory_search = {
    environment = { RECALL_FUNCTION = local.invocations.api.target }
    grants      = local.invocations.api.grants
  }

  # Chat invokes itself for a turn that outlasts its request (ADR 30).
  turn_jobs = {
    environment = { TURNS_FUNCTION = local.invocations.chat.target }
    grants      = local.invocations.chat.grants
  }
}
