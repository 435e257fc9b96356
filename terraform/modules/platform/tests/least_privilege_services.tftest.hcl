# Who may call what besides tables, and so who may not.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  runtime     = { artifacts = "./tests/fixtures" }
  model       = { vendor = "anthropic", extract_id = "small", chat_id = "large", summarize_id = "strong" }
  postgres    = { external = { host = "127.0.0.1", port = 5432, database = "membus", owner_username = "owner", owner_password = "secret" } }
}

run "platform" {
  command = plan
}

run "services" {
  module {
    source = "./tests/audit"
  }
  variables {
    policies = run.platform.policies
    questions = {
      put_event     = { actions = ["events:PutEvents"], on = "event-bus/membus-test-bus" }
      consume       = { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage"], on = "" }
      consume_due   = { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage"], on = "membus-test-summarize" }
      park          = { actions = ["sqs:SendMessage"], on = "membus-test-quarantine" }
      feed          = { actions = ["sqs:SendMessage"], on = "membus-test-extract" }
      embed         = { actions = ["bedrock:InvokeModel"], on = "foundation-model/amazon.titan-embed-text-v2:0" }
      sign          = { actions = ["kms:GenerateMac"], on = "key/cursors" }
      decrypt       = { actions = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], on = "" }
      ask_model     = { actions = ["secretsmanager:GetSecretValue"], on = "secret:model" }
      become_owner  = { actions = ["secretsmanager:GetSecretValue"], on = "secret:owner" }
      become_app    = { actions = ["secretsmanager:GetSecretValue"], on = "secret:app" }
      change_secret = { actions = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"], on = "" }
      touch_bucket  = { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"], on = "123456789012/*" }
      read_cold     = { actions = ["s3:GetObject"], on = "/*.parquet" }
      thaw_cold     = { actions = ["s3:RestoreObject"], on = "/*.parquet" }
      change_cold   = { actions = ["s3:PutObject", "s3:DeleteObject"], on = "/*.parquet" }
      list_bucket   = { actions = ["s3:ListBucket"], on = "" }
      list_versions = { actions = ["s3:ListBucketVersions", "s3:GetObjectVersion"], on = "" }
      keep_spill    = { actions = ["s3:PutObject"], on = "/spill/*" }
      drop_spill    = { actions = ["s3:DeleteObject"], on = "/spill/*" }
      read_spill    = { actions = ["s3:GetObject"], on = "/spill/*" }
      keep_export   = { actions = ["s3:PutObject"], on = "/exports/*" }
      fetch_export  = { actions = ["s3:GetObject"], on = "/exports/*" }
      abort_export  = { actions = ["s3:AbortMultipartUpload"], on = "/exports/*" }
      list_uploads  = { actions = ["s3:ListBucketMultipartUploads"], on = "" }
      search_dead   = { actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage"], on = "membus-test-extract-dlq" }
      set_aside     = { actions = ["sqs:SendMessage"], on = "membus-test-extract-surplus" }
      send_erase    = { actions = ["sqs:SendMessage"], on = "membus-test-erase" }
      drop_versions = { actions = ["s3:DeleteObjectVersion"], on = "" }
      call_memory   = { actions = ["lambda:InvokeFunction"], on = "function:membus-test-memory" }
      call_another  = { actions = ["lambda:InvokeFunction"], on = "" }
      push_frame    = { actions = ["execute-api:ManageConnections"], on = "/v1/POST/@connections/*" }
      push_anywhere = { actions = ["execute-api:ManageConnections", "execute-api:Invoke"], on = "" }
      call_chat     = { actions = ["lambda:InvokeFunction"], on = "function:membus-test-chat" }
      become        = { actions = ["sts:AssumeRole", "iam:PassRole"], on = "" }
    }
  }

  assert {
    condition     = output.who_may.put_event == "chat, erase, export, index, memory"
    error_message = "Authorize, extract and migrate announce nothing; erase and export ask for their own rest."
  }
  assert {
    condition     = output.who_may.consume == "erase, export, extract, summarize" && output.who_may.consume_due == "summarize" && output.who_may.feed == "nobody"
    error_message = "Extract, summarize, erase and export consume a queue each, and only the bus fills it."
  }
  assert {
    condition     = output.who_may.park == "extract, index" && output.who_may.set_aside == "extract"
    error_message = "Only extract gives up on messages, and index on changes."
  }
  assert {
    condition     = output.who_may.sign == "memory"
    error_message = "Only memory signs cursors."
  }
  assert {
    condition     = output.who_may.decrypt == "nobody"
    error_message = "Nobody uses the data key past the stores."
  }
  assert {
    condition     = output.who_may.ask_model == "chat, extract, summarize"
    error_message = "No model on the data path: memory, authorize and migrate cannot ask one."
  }
  assert {
    condition     = output.who_may.embed == "index, memory"
    error_message = "What is searched, and the query of a search, are embedded; nobody else has anything to embed."
  }
  assert {
    condition     = output.who_may.become_owner == "migrate" && output.who_may.become_app == "erase, export, index, memory, migrate"
    error_message = "Only migrate knows the schema's owner; those who search know the functions' login."
  }
  assert {
    condition     = output.who_may.change_secret == "nobody"
    error_message = "Functions read secrets and never change them."
  }
  assert {
    condition     = output.who_may.touch_bucket == "nobody" && output.who_may.list_bucket == "nobody"
    error_message = "Nobody touches the whole bucket, and nobody lists what is in it."
  }
  assert {
    condition     = output.who_may.read_cold == "archive, chat, erase, export, memory" && output.who_may.change_cold == "archive, erase" && output.who_may.thaw_cold == output.who_may.read_cold
    error_message = "Memory reads cold episodes, chat asks them in SQL; only the archiver writes and merges them, and erase writes them again without a user."
  }
  assert {
    condition     = output.who_may.keep_spill == "chat, extract, memory"
    error_message = "Whoever writes episodes, states and replies keeps their large texts."
  }
  assert {
    condition     = output.who_may.drop_spill == "erase, extract, index, memory, sweep"
    error_message = "Sweep removes the large texts of deleted conversations, and can read none; index those of documents that expired."
  }
  assert {
    condition     = output.who_may.read_spill == "chat, export, extract, index, memory"
    error_message = "Index reads large texts to embed them, and keeps none; chat shows what its tools gave, export hands them out."
  }
  assert {
    condition     = output.who_may.keep_export == "export" && output.who_may.fetch_export == "memory" && output.who_may.abort_export == "erase, export" && output.who_may.list_uploads == "erase"
    error_message = "Export writes a user's archive and cannot read it; memory signs the address at which it is fetched. Erase finds and removes what is half written."
  }
  assert {
    condition     = output.who_may.drop_versions == "erase" && output.who_may.list_versions == "erase"
    error_message = "Erase alone removes old versions, hence sees them."
  }
  assert {
    condition     = output.who_may.search_dead == "erase" && output.who_may.send_erase == "erase"
    error_message = "Erase alone looks through dead letters; to a queue it sends what has to wait, to its own."
  }
  assert {
    condition     = output.who_may.call_memory == "chat" && output.who_may.call_another == "chat" && output.who_may.call_chat == "chat" && length(regexall("function:membus-test-(authorize|erase|export|extract|index|summarize|sweep|archive|migrate)", run.platform.policies.chat)) == 0
    error_message = "Chat searches through memory and invokes itself for long turns; no function calls another one."
  }
  assert {
    condition     = output.who_may.push_frame == "chat" && output.who_may.push_anywhere == "chat" && length(regexall("@connections", run.platform.policies.chat)) == 2
    error_message = "Chat alone speaks to sockets, on its own stage, and calls no API."
  }
  assert {
    condition     = output.who_may.become == "nobody"
    error_message = "Functions do not change roles."
  }
}
