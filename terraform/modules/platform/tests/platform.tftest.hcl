mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  runtime     = { artifacts = "./tests/fixtures" }
  model       = { vendor = "anthropic", extract_id = "small", chat_id = "large", summarize_id = "strong" }
  network     = { availability_zone_ids = ["use1-az1", "use1-az2"], egress = "nat" }
  postgres    = { cluster = { proxy = true, min_acu = 0.5 } }
  hot_tier    = { storage_gb = 1 }
}

run "an_environment_of_production_shape_plans" {
  command = plan
  assert {
    condition = (
      keys(output.functions) == [
        "api",
        "archive",
        "authorize",
        "chat",
        "erase",
        "export",
        "extract",
        "index",
        "migrate",
        "summarize",
        "sweep",
      ]
      && output.functions.chat == "membus-test-chat"
    )
    error_message = "Every function must exist, named after its environment."
  }
  assert {
    condition = (
      output.queue_urls != null
      && toset(keys(output.queue_urls)) == toset([
        "bus-dlq",
        "erase",
        "erase-dlq",
        "erase-rule-dlq",
        "export",
        "export-dlq",
        "export-rule-dlq",
        "extract",
        "extract-dlq",
        "extract-rule-dlq",
        "extract-surplus",
        "failures",
        "quarantine",
        "summarize",
        "summarize-dlq",
        "summarize-rule-dlq",
      ])
    )
    error_message = "Every queue must be in the outputs, dead-letter queues included."
  }
  assert {
    condition = output.tables == {
      memory        = "membus-test-memory"
      conversations = "membus-test-conversations"
      tenants       = "membus-test-tenants"
      idempotency   = "membus-test-idempotency"
    }
    error_message = "Tables must be named after their environment."
  }
  assert {
    condition     = output.bucket == "membus-test-archive-123456789012"
    error_message = "Bucket names are global, so the name must contain the account."
  }
  assert {
    condition     = length(module.hot_tier) == 1 && length(module.network) == 1
    error_message = "Hot tier and network must follow their variables."
  }
  assert {
    condition = [for name, function in local.functions : name if anytrue([
      for concern in function.uses : contains(keys(concern.environment), "HOT_TIER_URL")
    ])] == ["api", "chat", "erase"]
    error_message = "Api, chat and erase, and no others, must use the hot tier."
  }
  assert {
    condition     = alltrue([for name in ["api", "chat", "erase"] : try(local.functions[name].in_vpc, false)])
    error_message = "The functions that use the hot tier must be in the VPC."
  }
  assert {
    condition     = [for name, function in local.functions : name if try(function.has_egress, false)] == ["chat"]
    error_message = "Chat alone must reach the internet: its model is there."
  }
}

run "every_concern_has_variables_and_grants" {
  command = plan
  assert {
    condition = alltrue(flatten([for function in local.functions : [
      for concern in function.uses : length(concern.environment) > 0 && length(concern.grants) > 0
    ]]))
    error_message = "A concern needs both: a plain value belongs in settings, a trigger in queues or streams."
  }
  assert {
    condition = toset(flatten([for function in local.functions : keys(function)])) == toset([
      "has_egress",
      "in_vpc",
      "layers",
      "limits",
      "queues",
      "raises_by_design",
      "settings",
      "streams",
      "uses",
      "works_to_deadline",
    ])
    error_message = "A function has an attribute that the platform does not read, or one that no function needs."
  }
}

run "who_may_connect_to_the_hot_tier" {
  module {
    source = "./tests/audit"
  }
  variables {
    policies = run.an_environment_of_production_shape_plans.policies
    expected = { connect = "api, chat, erase" }
    questions = {
      connect = {
        actions = ["elasticache:Connect"]
        on      = "serverlesscache:membus-test-hot"
      }
    }
  }
  assert {
    condition     = output.differences == {}
    error_message = "Only these three may log in to the hot tier: ${jsonencode(output.differences)}"
  }
}

run "a_model_that_chat_cannot_reach_is_refused" {
  command = plan
  variables { network = { availability_zone_ids = ["use1-az1", "use1-az2"] } }
  expect_failures = [var.hot_tier]
}

run "sockets_that_chat_cannot_reach_are_refused" {
  command = plan
  variables {
    network = { availability_zone_ids = ["use1-az1", "use1-az2"] }
    model = {
      vendor       = "bedrock"
      extract_id   = "small"
      chat_id      = "large"
      summarize_id = "strong"
      bedrock_arns = ["arn:aws:bedrock:us-east-1::foundation-model/large"]
    }
  }
  expect_failures = [var.hot_tier]
}

run "the_schema_is_migrated_within_the_apply" {
  command = plan
  assert {
    condition = (
      aws_lambda_invocation.migrate.function_name == "membus-test-migrate"
      && aws_lambda_invocation.migrate.triggers.code == filebase64sha256("./tests/fixtures/functions/migrate.zip")
    )
    error_message = "A new migrate must run in the same apply."
  }
}

run "every_route_of_the_document_that_is_not_public_names_who_may_call_it" {
  command = plan
  assert {
    condition = (
      length(module.api.route_scopes) > 0
      && alltrue([
        for scope in module.api.route_scopes :
        contains(["events:write", "memory:read", "memory:write", "chat", "admin", "*"], scope)
      ])
    )
    error_message = "Every scope must be one of the five that keys can have, or * for a route that any key may call."
  }
}

run "a_message_stays_hidden_for_six_timeouts_of_its_consumer" {
  command = plan
  assert {
    condition = alltrue([
      for route, queue in local.routes :
      queue.visibility_timeout_seconds >= 6 * local.functions[route].limits.timeout_seconds + 1
    ])
    error_message = "A route's visibility timeout must be six times its function's timeout plus a second."
  }
}

run "index_gets_only_changes_that_are_searched" {
  command = plan
  assert {
    condition = [
      for pattern in local.functions.index.streams.memory : keys(jsondecode(pattern).dynamodb)
    ] == [["Keys"], ["Keys"], ["NewImage"], ["OldImage"]]
    error_message = "Index must get facts, documents and episodes; profiles and versions of facts change with them."
  }
  assert {
    condition = [
      for pattern in local.functions.index.streams.conversations :
      jsondecode(pattern).dynamodb.Keys.sk.S[0].prefix
    ] == ["SUMMARY#"]
    error_message = "Of conversations only summaries are indexed: messages are found as the episodes of their turns."
  }
}

run "sweep_gets_only_deletions" {
  command = plan
  assert {
    condition = [
      for pattern in local.functions.sweep.streams.conversations : keys(jsondecode(pattern).dynamodb.NewImage)
    ] == [["deleted_at"]]
    error_message = "Sweep must get deleted conversations only; every message is a change too."
  }
}

run "without_a_network_there_is_no_hot_tier" {
  command = plan
  variables {
    network = null
    postgres = {
      external = {
        host           = "127.0.0.1"
        port           = 5432
        database       = "membus"
        owner_username = "owner"
        owner_password = "secret"
      }
    }
  }
  expect_failures = [var.hot_tier]
}

run "a_name_that_is_no_bucket_name_is_refused" {
  command = plan
  variables { environment = "Test_1" }
  expect_failures = [var.environment]
}

run "a_state_that_never_expires_is_refused" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", state_lifetime_days = 0 } }
  expect_failures = [var.runtime]
}

run "more_shards_than_a_read_can_query_are_refused" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", episode_shards = 33 } }
  expect_failures = [var.runtime]
}

run "an_episode_deleted_before_it_is_copied_is_refused" {
  command = plan
  variables { protection = { quiet_days = 3, hot_days = 2 } }
  expect_failures = [var.protection]
}

run "every_shard_is_archived_and_compacted" {
  command = plan
  assert {
    condition     = sort(flatten([for input in module.archive_schedule.inputs : input.shards])) == sort(range(16))
    error_message = "Every shard must have a schedule, or its episodes are never archived."
  }
  assert {
    condition = (
      sort(flatten([for input in module.compaction_schedule.inputs : input.shards])) == sort(range(16))
      && alltrue([for input in module.compaction_schedule.inputs : input.task == "compact_due"])
    )
    error_message = "Every shard must have a schedule, or its months are never compacted."
  }
}

run "a_receipt_states_how_long_copies_are_kept" {
  command = plan
  variables {
    protection = { protected = true, recovery_days = 35, archive_retention_days = 20 }
    postgres   = { cluster = { backup_days = 21, log_days = 5 } }
  }
  assert {
    condition = jsondecode(local.functions.erase.settings.COPIES_KEPT_DAYS) == {
      bus_archive      = 20
      table_backups    = 35
      removed_texts    = module.archive.noncurrent_days
      queues           = 14
      database_backups = 21
      database_logs    = 5
    }
    error_message = "COPIES_KEPT_DAYS must state the retention of archive, backups, object versions and queues."
  }
}

run "a_tenant_rate_of_zero_is_refused" {
  command         = plan
  expect_failures = [var.api]
  variables {
    api = { tenant = { events_per_second = 0 } }
  }
}

run "a_tenant_rate_of_the_whole_gateway_is_refused" {
  command         = plan
  expect_failures = [var.api]
  variables {
    api = { rate = 50, tenant = { requests_per_second = 50 } }
  }
}

run "each_queue_is_read_at_its_own_pace" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", extract_concurrency = 50 } }
  assert {
    condition = (
      toset(local.functions.extract.queues) == toset(["extract", "extract-surplus"])
      && { for queue, consumer in local.consumers : queue => consumer.maximum_concurrency } == {
        extract         = 50
        extract-surplus = 25
        summarize       = 10
        erase           = 2
        export          = 2
      }
    )
    error_message = "Extract reads its overflow queue at half its pace; erase and export are few, whatever extract is."
  }
  assert {
    condition = { for queue, consumer in local.consumers : queue => consumer.batch_size } == {
      extract         = 10
      extract-surplus = 10
      summarize       = 2
      erase           = 1
      export          = 1
    }
    error_message = "One erasure takes a whole run: others in its batch would only go around."
  }
}

run "every_queue_has_a_pace" {
  command = plan
  assert {
    condition = toset(keys(local.consumers)) == toset(flatten([
      for function in local.functions : try(function.queues, [])
    ]))
    error_message = "A queue without a consumer of its own would get another's concurrency."
  }
}

run "functions_that_work_to_their_deadline" {
  command = plan
  assert {
    condition = [for name, function in local.functions : name if try(function.works_to_deadline, false)] == [
      "archive",
      "chat",
      "erase",
      "export",
    ]
    error_message = "These four plan by their remaining time; a slow run of any other must raise an alarm."
  }
}

run "long_work_may_invoke_itself" {
  command = plan
  assert {
    condition = [for name, function in local.functions : name if try(function.limits.recursion_allowed, false)] == [
      "erase",
      "export",
    ]
    error_message = "A long erasure or export goes on by events on the bus, in more than sixteen rounds."
  }
}

run "a_reservation_reaches_its_function" {
  command = plan
  variables { runtime = { artifacts = "./tests/fixtures", reserved_concurrency = { authorize = 20 } } }
  assert {
    condition = { for name, limits in local.limits : name => limits.reserved_concurrency if name != "api" } == {
      for name in keys(local.functions) : name => name == "authorize" ? 20 : -1 if name != "api"
    }
    error_message = "Authorize must have its share, and the others must share the account's rest."
  }
}

run "a_reservation_for_no_function_is_refused" {
  command         = plan
  expect_failures = [var.runtime]
  variables {
    runtime = { artifacts = "./tests/fixtures", reserved_concurrency = { authorise = 20 } }
  }
}

run "a_reservation_for_a_queues_consumer_is_refused" {
  command         = plan
  expect_failures = [var.runtime]
  variables {
    runtime = { artifacts = "./tests/fixtures", reserved_concurrency = { extract = 20 } }
  }
}

run "a_share_of_zero_is_refused" {
  command         = plan
  expect_failures = [var.runtime]
  variables {
    runtime = { artifacts = "./tests/fixtures", extract_share = 0 }
  }
}

run "an_erasure_that_fails_raises_an_alarm" {
  command = plan
  variables { operations = { alarm_topic_arn = "arn:aws:sns:us-east-1:123456789012:alarms" } }
  assert {
    condition     = aws_cloudwatch_metric_alarm.erasures_failed[0].dimensions == tomap({ environment = "test" })
    error_message = "The alarm must watch this environment's erasures."
  }
}

run "by_ipv6_only_bedrock_needs_an_endpoint" {
  command = plan
  variables { network = { availability_zone_ids = ["use1-az1", "use1-az2"], egress = "ipv6" } }
  assert {
    condition     = module.network[0].endpoints == ["bedrock-runtime"]
    error_message = "Embeddings are Bedrock's, and its runtime documents no dual-stack endpoint."
  }
  assert {
    condition = local.network_settings == tomap({
      AWS_USE_DUALSTACK_ENDPOINT       = "true"
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME = "https://bedrock-runtime.us-east-1.amazonaws.com"
    })
    error_message = "Functions inside must ask AWS by IPv6, and Bedrock through its endpoint."
  }
  assert {
    condition     = module.socket_api.ip_address_type == "dualstack"
    error_message = "Chat, inside, must reach its sockets."
  }
}

run "without_ipv6_functions_ask_endpoints_as_ever" {
  command = plan
  assert {
    condition = (
      length(local.network_settings) == 0
      && module.network[0].endpoints == ["bedrock-runtime", "events", "kms", "secretsmanager", "sqs"]
    )
    error_message = "Private DNS of the endpoints answers for the usual names."
  }
}
