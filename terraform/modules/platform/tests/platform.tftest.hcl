mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  runtime     = { artifacts = "./tests/fixtures" }
  model       = { vendor = "anthropic", extract_id = "small", chat_id = "large", summarize_id = "strong" }
  network     = { availability_zones = ["us-east-1a", "us-east-1b"], egress = true }
  postgres    = { cluster = { proxy = true, min_acu = 0.5 } }
  hot_tier    = { storage_gb = 1 }
}

run "an_environment_of_production_shape_plans" {
  command = plan
  assert {
    condition     = keys(output.functions) == ["archive", "authorize", "chat", "erase", "export", "extract", "index", "memory", "migrate", "summarize", "sweep"] && output.functions.chat == "membus-test-chat"
    error_message = "Every function, named after its environment."
  }
  assert {
    condition     = output.queue_urls != null && toset(keys(output.queue_urls)) == toset(["bus-dlq", "erase", "erase-dlq", "erase-rule-dlq", "export", "export-dlq", "export-rule-dlq", "extract", "extract-dlq", "extract-rule-dlq", "extract-surplus", "failures", "quarantine", "summarize", "summarize-dlq", "summarize-rule-dlq"])
    error_message = "Operators find every queue, dead letters included."
  }
  assert {
    condition     = output.tables == { memory = "membus-test-memory", conversations = "membus-test-conversations", tenants = "membus-test-tenants", idempotency = "membus-test-idempotency" }
    error_message = "Tables are named after their environment."
  }
  assert {
    condition     = output.bucket == "membus-test-archive-123456789012"
    error_message = "Bucket names are global, so this one carries the account."
  }
  assert {
    condition     = length(module.hot_tier) == 1 && length(module.network) == 1
    error_message = "Hot tier and network follow their variables."
  }
  assert {
    condition     = [for name, function in local.functions : name if try(function.environment.HOT_TIER_URL, "") == "rediss://hot.internal:6379"] == ["chat", "erase", "memory"] && local.functions.chat.inside && local.functions.memory.inside
    error_message = "Chat, memory and erase are told of the hot tier and reach it."
  }
  assert {
    condition     = [for name, function in local.functions : name if try(function.outward, false)] == ["chat"]
    error_message = "Of the functions inside only chat calls beyond the network: its model is there."
  }
}

run "who_may_connect_to_the_hot_tier" {
  module {
    source = "./tests/audit"
  }
  variables {
    policies  = run.an_environment_of_production_shape_plans.policies
    questions = { connect = { actions = ["elasticache:Connect"], on = "serverlesscache:membus-test-hot" } }
  }
  assert {
    condition     = output.who_may.connect == "chat, erase, memory"
    error_message = "Chat, memory and erase alone log in to the hot tier."
  }
}

run "a_model_that_chat_could_not_reach_is_refused" {
  command = plan
  variables { network = { availability_zones = ["us-east-1a", "us-east-1b"] } }
  expect_failures = [var.hot_tier]
}

run "sockets_that_chat_could_not_reach_are_refused_whatever_the_model" {
  command = plan
  variables {
    network = { availability_zones = ["us-east-1a", "us-east-1b"] }
    model   = { vendor = "bedrock", extract_id = "small", chat_id = "large", summarize_id = "strong", bedrock_arns = ["arn:aws:bedrock:us-east-1::foundation-model/large"] }
  }
  expect_failures = [var.hot_tier]
}

run "the_schema_is_migrated_within_the_apply" {
  command = plan
  assert {
    condition     = aws_lambda_invocation.migrate.function_name == "membus-test-migrate" && aws_lambda_invocation.migrate.triggers.code == filebase64sha256("./tests/fixtures/functions/migrate.zip")
    error_message = "A new migrate runs at once."
  }
}

run "every_route_of_the_document_that_is_not_public_needs_a_scope" {
  command = plan
  assert {
    condition     = length(module.api.route_scopes) > 0 && alltrue([for scope in module.api.route_scopes : contains(["events:write", "memory:read", "memory:write", "chat", "admin"], scope)])
    error_message = "Scopes are the five that keys can have."
  }
}

run "a_message_stays_hidden_for_six_timeouts_of_its_consumer" {
  command = plan
  assert {
    condition     = alltrue([for route, queue in local.routes : queue.visibility_timeout_seconds >= 6 * local.functions[route].limits.timeout_seconds + 1])
    error_message = "The function module refuses less; this says it of the real figures."
  }
}

run "only_what_is_searched_wakes_index" {
  command = plan
  assert {
    condition     = [for pattern in local.functions.index.streams.memory : keys(jsondecode(pattern).dynamodb)] == [["Keys"], ["Keys"], ["NewImage"], ["OldImage"]]
    error_message = "Facts, documents, and episodes that come or go; profiles and versions of facts change with them."
  }
  assert {
    condition     = [for pattern in local.functions.index.streams.conversations : jsondecode(pattern).dynamodb.Keys.sk.S[0].prefix] == ["SUMMARY#"]
    error_message = "Messages are found as the episodes of their turns: of conversations only summaries are indexed."
  }
}

run "only_what_is_deleted_wakes_sweep" {
  command = plan
  assert {
    condition     = [for pattern in local.functions.sweep.streams.conversations : keys(jsondecode(pattern).dynamodb.NewImage)] == [["deleted_at"]]
    error_message = "Every message is a change too: sweep hears of deleted conversations alone."
  }
}

run "without_a_network_there_is_no_hot_tier" {
  command = plan
  variables {
    network  = null
    postgres = { external = { host = "127.0.0.1", port = 5432, database = "membus", owner_username = "owner", owner_password = "secret" } }
  }
  expect_failures = [var.hot_tier]
}

run "a_name_that_no_bucket_could_have_is_refused" {
  command = plan
  variables { environment = "Test_1" }
  expect_failures = [var.environment]
}

run "a_state_that_never_expires_is_refused" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", state_lifetime_days = 0 } }
  expect_failures = [var.runtime]
}

run "more_shards_than_a_read_can_ask_are_refused" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", episode_shards = 33 } }
  expect_failures = [var.runtime]
}

run "an_episode_that_leaves_before_it_is_copied_is_refused" {
  command = plan
  variables { protection = { quiet_days = 3, hot_days = 2 } }
  expect_failures = [var.protection]
}

run "every_shard_of_what_waits_is_archived" {
  command = plan
  assert {
    condition     = sort(flatten([for input in module.archive_schedule.inputs : input.shards])) == sort(range(16))
    error_message = "A shard that no schedule names would wait for ever."
  }
  assert {
    condition     = sort(flatten([for input in module.compaction_schedule.inputs : input.shards])) == sort(range(16)) && alltrue([for input in module.compaction_schedule.inputs : input.task == "compact_due"])
    error_message = "A month in a shard that no schedule names would stay in small objects."
  }
}

run "a_receipt_counts_the_days_that_its_copies_are_kept" {
  command = plan
  variables {
    protection = { protected = true, recovery_days = 35, archive_retention_days = 20 }
    postgres   = { cluster = { backup_days = 21 } }
  }
  assert {
    condition     = jsondecode(local.functions.erase.environment.COPIES_KEPT_DAYS) == { bus_archive = 20, table_backups = 35, removed_texts = module.archive.noncurrent_days, queues = 14, database_backups = 21 }
    error_message = "What is set in one place is told in another: the bus's archive, recovery points, old versions, queues, backups."
  }
}

run "a_tenant_that_may_send_nothing_is_refused" {
  command         = plan
  expect_failures = [var.api]
  variables {
    api = { tenant = { events_per_second = 0 } }
  }
}

run "a_tenant_that_could_use_the_gateway_up_alone_is_refused" {
  command         = plan
  expect_failures = [var.api]
  variables {
    api = { rate = 50, tenant = { requests_per_second = 50 } }
  }
}

run "what_is_set_aside_is_read_by_half_as_many" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", extract_concurrency = 50 } }
  assert {
    condition     = toset(local.functions.extract.queues) == toset(["extract", "extract-surplus"]) && local.consumers == { false = 50, true = 25 }
    error_message = "Extract reads its queue, and beside it what tenants send beyond their share, with fewer hands."
  }
}

run "a_share_of_nothing_is_refused" {
  command         = plan
  expect_failures = [var.runtime]
  variables {
    runtime = { artifacts = "./tests/fixtures", extract_share = 0 }
  }
}
