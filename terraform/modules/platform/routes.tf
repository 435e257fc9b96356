locals {
  # Timeouts of the functions behind the routes; a message stays hidden for six of them plus the batching window.
  extract_seconds   = 60
  summarize_seconds = 120
  erase_seconds     = 300
  export_seconds    = 900

  # How each queue is read: messages of a batch, and batches at once, of which Lambda's minimum is two. A summary may
  # ask its model for 40 s, an erasure or an export takes a run of its own and much of the database.
  consumers = {
    extract = {
      batch_size          = 10
      maximum_concurrency = var.runtime.extract_concurrency
    }
    extract-surplus = {
      batch_size          = 10
      maximum_concurrency = max(2, floor(var.runtime.extract_concurrency / 2))
    }
    summarize = {
      batch_size          = 2
      maximum_concurrency = max(2, floor(var.runtime.extract_concurrency / 5))
    }
    erase = {
      batch_size          = 1
      maximum_concurrency = 2
    }
    export = {
      batch_size          = 1
      maximum_concurrency = 2
    }
  }

  routes = {
    extract = {
      pattern                    = jsonencode({ source = [{ anything-but = ["membus.announcements"] }] })
      max_receive_count          = 12 # an hour of outage dead-letters nothing: functions/extract/delivery.py
      visibility_timeout_seconds = 6 * local.extract_seconds + 1
      overflow                   = true # messages that a tenant sends beyond its share: functions/extract/delivery.py
    }
    summarize = {
      pattern = jsonencode({
        source      = ["membus.announcements"]
        detail-type = ["summary.due"]
      })
      max_receive_count          = 5 # an hour; every further turn asks again for a summary that is due
      visibility_timeout_seconds = 6 * local.summarize_seconds + 1
    }
    erase = {
      pattern = jsonencode({
        source      = ["membus.announcements"]
        detail-type = ["erasure.due"]
      })
      max_receive_count          = 12 # six hours; by then an alarm has told an operator of the store that is away
      visibility_timeout_seconds = 6 * local.erase_seconds + 1
    }
    export = {
      pattern = jsonencode({
        source      = ["membus.announcements"]
        detail-type = ["export.due"]
      })
      max_receive_count          = 5
      visibility_timeout_seconds = 6 * local.export_seconds + 1
    }
  }
}
