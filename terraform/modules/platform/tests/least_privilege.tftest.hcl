# Who may, and so who may not. The questions name real keys, so a wall with a hole fails here.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  runtime     = { artifacts = "./tests/fixtures" }
  model       = { vendor = "anthropic", extract_id = "small", chat_id = "large", summarize_id = "strong" }
  postgres    = { external = { host = "127.0.0.1", port = 5432, database = "membus", owner_username = "owner", owner_password = "secret" } }
  writing     = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
  reading     = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect"]
}

run "platform" {
  command = plan
}

run "tables" {
  module {
    source = "./tests/audit"
  }
  variables {
    policies = run.platform.policies
    questions = {
      write_fact         = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#U#ada" }
      read_fact          = { actions = var.reading, on = "table/membus-test-memory", key = "T#acme#U#ada" }
      write_episode      = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#A#default#E#2026-11-20" }
      read_episode       = { actions = var.reading, on = "table/membus-test-memory", key = "T#acme#A#U#E#2026-11-20" }
      list_episodes      = { actions = var.reading, on = "index/by_user", key = "T#acme#U#ada" }
      write_catalog      = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#COLD" }
      read_catalog       = { actions = var.reading, on = "table/membus-test-memory", key = "T#acme#COLD" }
      list_unarchived    = { actions = var.reading, on = "index/unarchived", key = "UNARCHIVED#07" }
      list_uncompacted   = { actions = var.reading, on = "index/unarchived", key = "UNCOMPACTED#07" }
      write_document     = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#D#mem_1" }
      read_document      = { actions = var.reading, on = "table/membus-test-memory", key = "T#acme#D#mem_1" }
      read_changes       = { actions = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"], on = "table/membus-test-memory/stream/*" }
      mark_event         = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#EV#e1" }
      write_state        = { actions = var.writing, on = "table/membus-test-memory", key = "T#acme#A#default" }
      touch_state        = { actions = concat(var.reading, var.writing), on = "table/membus-test-memory", key = "T#acme#A#default" }
      delete_fact        = { actions = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-memory", key = "T#acme#U#ada" }
      delete_episode     = { actions = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-memory", key = "T#acme#A#default#E#2026-11-20#3" }
      delete_message     = { actions = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-conversations", key = "T#acme#C#c1" }
      settle_fresh       = { actions = ["dynamodb:DeleteItem"], on = "table/membus-test-conversations", key = "T#acme#U#ada" }
      write_fresh        = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], on = "table/membus-test-conversations", key = "T#acme#U#ada" }
      write_conversation = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-conversations", key = "T#acme#C#c1" }
      read_conversation  = { actions = var.reading, on = "table/membus-test-conversations", key = "T#acme#C#c1" }
      note_connection    = { actions = var.writing, on = "table/membus-test-conversations", key = "T#acme#W#c1" }
      read_connection    = { actions = var.reading, on = "table/membus-test-conversations", key = "T#acme#W#c1" }
      list_connections   = { actions = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"], on = "table/membus-test-conversations", key = "T#acme#W#c1" }
      read_deletions     = { actions = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"], on = "table/membus-test-conversations/stream/*" }
      get_key            = { actions = ["dynamodb:GetItem"], on = "table/membus-test-tenants", key = "KEY#k1" }
      list_keys          = { actions = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"], on = "table/membus-test-tenants", key = "KEY#k1" }
      get_tenant         = { actions = ["dynamodb:GetItem"], on = "table/membus-test-tenants", key = "T#acme" }
      list_tenant        = { actions = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"], on = "table/membus-test-tenants", key = "T#acme" }
      write_tenant       = { actions = var.writing, on = "table/membus-test-tenants", key = "T#acme" }
      write_usage        = { actions = ["dynamodb:UpdateItem"], on = "table/membus-test-tenants", key = "T#acme#USAGE" }
      read_usage         = { actions = ["dynamodb:Query"], on = "table/membus-test-tenants", key = "T#acme#USAGE" }
      delete_usage       = { actions = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-tenants", key = "T#acme#USAGE" }
      count_rate         = { actions = ["dynamodb:UpdateItem"], on = "table/membus-test-tenants", key = "T#acme#RATE" }
      read_rate          = { actions = var.reading, on = "table/membus-test-tenants", key = "T#acme#RATE" }
      read_erased        = { actions = ["dynamodb:BatchGetItem"], on = "table/membus-test-tenants", key = "T#acme#ERASED" }
      write_erased       = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], on = "table/membus-test-tenants", key = "T#acme#ERASED" }
      delete_erased      = { actions = ["dynamodb:DeleteItem"], on = "table/membus-test-tenants", key = "T#acme#ERASED" }
      touch_job          = { actions = concat(var.reading, var.writing), on = "table/membus-test-tenants", key = "T#acme#JOB" }
      write_key          = { actions = var.writing, on = "table/membus-test-tenants", key = "KEY#k1" }
      claim_request      = { actions = var.writing, on = "table/membus-test-idempotency" }
      scan               = { actions = ["dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"], on = "" }
    }
  }

  assert {
    condition     = output.who_may.write_fact == "erase, extract, memory"
    error_message = "Chat cannot write facts: extract reads them in events, memory takes people's corrections."
  }
  assert {
    condition     = output.who_may.read_fact == "chat, erase, export, extract, index, memory"
    error_message = "Authorize and migrate read nobody's facts."
  }
  assert {
    condition     = output.who_may.write_episode == "archive, erase, extract, memory" && output.who_may.mark_event == "erase, extract, memory"
    error_message = "What happened is recorded by extract, and by memory, whose corrections are events; the archiver marks what it has copied."
  }
  assert {
    condition     = output.who_may.read_episode == "archive, erase, export, extract, memory"
    error_message = "Chat sees no episodes, not even of an agent called U."
  }
  assert {
    condition     = output.who_may.list_episodes == "erase, export, memory"
    error_message = "Memory lists a user's episodes: what a search falls back to; erase finds them so."
  }
  assert {
    condition     = output.who_may.write_document == "erase, memory" && output.who_may.read_document == "erase, export, memory"
    error_message = "Documents are memory's, and erase's to remove: index learns of them from the stream."
  }
  assert {
    condition     = output.who_may.read_changes == "index" && !can(regex("index", join(" ", [output.who_may.write_fact, output.who_may.write_episode, output.who_may.write_document, output.who_may.write_conversation])))
    error_message = "Index alone reads the stream of memory, and writes neither memory nor conversations."
  }
  assert {
    condition     = output.who_may.delete_fact == "erase" && output.who_may.delete_episode == "erase"
    error_message = "Nobody but erase removes episodes or facts, whoever's they are."
  }
  assert {
    condition     = output.who_may.touch_state == "erase, export, memory" && output.who_may.write_state == "erase, memory" && output.who_may.list_unarchived == "archive" && output.who_may.list_uncompacted == "archive"
    error_message = "Working memory is memory's alone, and export hands it out; what waits for the archive, or in it to be compacted, is the archive's."
  }
  assert {
    condition     = output.who_may.write_catalog == "archive, erase" && output.who_may.read_catalog == "archive, chat, erase, export, memory"
    error_message = "Only the archiver vouches for cold objects, and erase for those it has written again; memory, chat and export read them."
  }
  assert {
    condition     = output.who_may.write_conversation == "chat, erase, memory, summarize" && output.who_may.read_conversation == "chat, erase, export, index, memory, summarize, sweep"
    error_message = "Extract cannot write conversations, nor read them."
  }
  assert {
    condition     = output.who_may.settle_fresh == "erase, extract" && output.who_may.write_fresh == "chat, erase, memory"
    error_message = "Chat and the door of events keep what was just said, extract lets go of what it has read; nobody else does either."
  }
  assert {
    condition     = output.who_may.delete_message == "erase, sweep" && output.who_may.read_deletions == "index, sweep"
    error_message = "Nobody but sweep and erase removes what is left of a conversation: memory marks it as deleted, index hears of its summaries."
  }
  assert {
    condition     = output.who_may.get_key == "authorize, chat" && output.who_may.list_keys == "nobody"
    error_message = "Authorize gets one key at a time, chat the one of an open socket; nobody lists keys."
  }
  assert {
    condition     = output.who_may.note_connection == "chat" && output.who_may.read_connection == "chat" && output.who_may.list_connections == "nobody"
    error_message = "Sockets are chat's alone, and it asks for one at a time."
  }
  assert {
    condition     = output.who_may.write_tenant == "nobody" && output.who_may.list_tenant == "nobody"
    error_message = "Tenants and their budgets are made by operators, not by functions; nobody lists what lies beside them."
  }
  assert {
    condition     = output.who_may.read_erased == "archive, chat, erase, export, extract, index, memory"
    error_message = "Whoever writes users' data asks what was erased."
  }
  assert {
    condition     = output.who_may.write_erased == "erase, memory" && output.who_may.touch_job == "erase, export, memory" && output.who_may.delete_erased == "erase"
    error_message = "Memory begins an erasure and erase ends it; nobody else says what was erased. Export ends the jobs that memory began for it."
  }
  assert {
    condition     = output.who_may.count_rate == "chat, memory" && output.who_may.read_rate == "nobody"
    error_message = "How fast a tenant goes is counted at the two doors, and by nobody behind them."
  }
  assert {
    condition     = output.who_may.get_tenant == "chat, extract, index, memory, summarize"
    error_message = "Who calls models looks up the tenant's budget; authorize, migrate and sweep call none."
  }
  assert {
    condition     = output.who_may.write_usage == "chat, extract, index, memory, summarize" && output.who_may.read_usage == output.who_may.write_usage
    error_message = "Who calls models writes down what it cost; authorize, migrate and sweep call none."
  }
  assert {
    condition     = output.who_may.delete_usage == "nobody" && output.who_may.write_key == "nobody"
    error_message = "Nobody deletes from a bill, and keys are made by operators."
  }
  assert {
    condition     = output.who_may.claim_request == "memory"
    error_message = "Only memory keeps idempotency records."
  }
  assert {
    condition     = output.who_may.scan == "nobody"
    error_message = "Scan and PartiQL carry no leading key, so nobody may."
  }
  assert {
    condition     = !strcontains(run.platform.policies.migrate, "dynamodb:")
    error_message = "Migrate sees no DynamoDB."
  }
  assert {
    condition     = length(regexall("KEY#\\*", run.platform.policies.authorize)) == 1 && !strcontains(run.platform.policies.authorize, "T#")
    error_message = "Authorize sees no user data, only keys."
  }
}
