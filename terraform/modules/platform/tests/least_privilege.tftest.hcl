# Who may do what, and so who may not: the finished policies are asked with real keys, so a pattern with a hole fails
# here.
mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

variables {
  environment = "test"
  runtime     = { artifacts = "./tests/fixtures" }
  model = {
    vendor       = "anthropic"
    extract_id   = "small"
    chat_id      = "large"
    summarize_id = "strong"
  }
  postgres = {
    external = {
      host           = "127.0.0.1"
      port           = 5432
      database       = "membus"
      owner_username = "owner"
      owner_password = "secret"
    }
  }

  get    = ["dynamodb:GetItem"]
  list   = ["dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan"]
  read   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect"]
  put    = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"]
  delete = ["dynamodb:DeleteItem", "dynamodb:BatchWriteItem"]
  write  = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
  stream = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
  take   = ["sqs:ReceiveMessage", "sqs:DeleteMessage"]
  send   = ["sqs:SendMessage"]
  secret = ["secretsmanager:GetSecretValue"]
  invoke = ["lambda:InvokeFunction"]

  memory        = "table/membus-test-memory"
  conversations = "table/membus-test-conversations"
  tenants       = "table/membus-test-tenants"
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

    expected = {
      # Extract derives facts from events, and api records users' corrections; chat cannot write facts.
      read_fact   = "api, chat, erase, export, extract, index"
      write_fact  = "api, erase, extract"
      delete_fact = "erase"

      # A correction is an event, so api records episodes too; the archiver marks the episodes it has copied. Chat
      # sees none.
      read_episode     = "api, archive, erase, export, extract"
      list_episodes    = "api, erase, export"
      write_episode    = "api, archive, erase, extract"
      delete_episode   = "erase"
      mark_event       = "api, erase, extract"
      list_unarchived  = "archive"
      list_uncompacted = "archive"

      # The archiver alone vouches for archived objects, and erase for those it rewrites.
      read_catalog  = "api, archive, chat, erase, export"
      write_catalog = "archive, erase"

      # Index learns of documents from the stream and writes neither table.
      read_document  = "api, erase, export"
      write_document = "api, erase"
      touch_state    = "api, erase, export"
      write_state    = "api, erase"
      read_changes   = "index"

      # Extract can neither read nor write conversations; it deletes messages that it has processed.
      read_conversation   = "api, chat, erase, export, index, summarize, sweep"
      write_conversation  = "api, chat, erase, summarize"
      write_unprocessed   = "api, chat, erase"
      delete_unprocessed  = "erase, extract"
      delete_message      = "erase, sweep"
      read_message_stream = "index, sweep"

      # Sockets belong to chat, which reads one connection at a time.
      read_connection  = "chat"
      write_connection = "chat"
      list_connections = "nobody"

      # Keys and tenants are made by operators. Authorize reads the key of a request, chat the key of an open socket.
      get_key      = "authorize, chat"
      list_keys    = "nobody"
      write_key    = "nobody"
      list_tenant  = "nobody"
      write_tenant = "nobody"

      # A function that calls a model checks the tenant's budget and records the cost; no function deletes costs.
      get_tenant   = "api, chat, extract, index, summarize"
      read_usage   = "api, chat, extract, index, summarize"
      write_usage  = "api, chat, extract, index, summarize"
      delete_usage = "nobody"

      # The functions behind the two APIs count requests.
      write_rate = "api, chat"
      read_rate  = "nobody"

      # Every function that writes users' data reads the erasure ledger. Api begins an erasure and erase ends it.
      read_erased   = "api, archive, chat, erase, export, extract, index"
      write_erased  = "api, erase"
      delete_erased = "erase"
      touch_job     = "api, erase, export"

      claim_request = "api"

      # Scan and PartiQL carry no leading key, so no condition could limit them.
      scan = "nobody"
    }

    questions = {
      read_fact   = { actions = var.read, on = var.memory, key = "T#acme#U#ada" }
      write_fact  = { actions = var.write, on = var.memory, key = "T#acme#U#ada" }
      delete_fact = { actions = var.delete, on = var.memory, key = "T#acme#U#ada" }

      read_episode     = { actions = var.read, on = var.memory, key = "T#acme#A#U#E#2026-11-20" } # of an agent called U
      list_episodes    = { actions = var.read, on = "index/by_user", key = "T#acme#U#ada" }
      write_episode    = { actions = var.write, on = var.memory, key = "T#acme#A#default#E#2026-11-20" }
      delete_episode   = { actions = var.delete, on = var.memory, key = "T#acme#A#default#E#2026-11-20#3" }
      mark_event       = { actions = var.write, on = var.memory, key = "T#acme#EV#e1" }
      list_unarchived  = { actions = var.read, on = "index/unarchived", key = "UNARCHIVED#07" }
      list_uncompacted = { actions = var.read, on = "index/unarchived", key = "UNCOMPACTED#07" }

      read_catalog  = { actions = var.read, on = var.memory, key = "T#acme#COLD" }
      write_catalog = { actions = var.write, on = var.memory, key = "T#acme#COLD" }

      read_document  = { actions = var.read, on = var.memory, key = "T#acme#D#mem_1" }
      write_document = { actions = var.write, on = var.memory, key = "T#acme#D#mem_1" }
      touch_state    = { actions = concat(var.read, var.write), on = var.memory, key = "T#acme#A#default" }
      write_state    = { actions = var.write, on = var.memory, key = "T#acme#A#default" }
      read_changes   = { actions = var.stream, on = "${var.memory}/stream/*" }

      read_conversation   = { actions = var.read, on = var.conversations, key = "T#acme#C#c1" }
      write_conversation  = { actions = var.put, on = var.conversations, key = "T#acme#C#c1" }
      write_unprocessed   = { actions = var.put, on = var.conversations, key = "T#acme#U#ada" }
      delete_unprocessed  = { actions = var.delete, on = var.conversations, key = "T#acme#U#ada" }
      delete_message      = { actions = var.delete, on = var.conversations, key = "T#acme#C#c1" }
      read_message_stream = { actions = var.stream, on = "${var.conversations}/stream/*" }

      read_connection  = { actions = var.read, on = var.conversations, key = "T#acme#W#c1" }
      write_connection = { actions = var.write, on = var.conversations, key = "T#acme#W#c1" }
      list_connections = { actions = var.list, on = var.conversations, key = "T#acme#W#c1" }

      get_key      = { actions = var.get, on = var.tenants, key = "KEY#k1" }
      list_keys    = { actions = var.list, on = var.tenants, key = "KEY#k1" }
      write_key    = { actions = var.write, on = var.tenants, key = "KEY#k1" }
      list_tenant  = { actions = var.list, on = var.tenants, key = "T#acme" }
      write_tenant = { actions = var.write, on = var.tenants, key = "T#acme" }

      get_tenant   = { actions = var.get, on = var.tenants, key = "T#acme" }
      read_usage   = { actions = ["dynamodb:Query"], on = var.tenants, key = "T#acme#USAGE" }
      write_usage  = { actions = ["dynamodb:UpdateItem"], on = var.tenants, key = "T#acme#USAGE" }
      delete_usage = { actions = var.delete, on = var.tenants, key = "T#acme#USAGE" }

      write_rate = { actions = ["dynamodb:UpdateItem"], on = var.tenants, key = "T#acme#RATE" }
      read_rate  = { actions = var.read, on = var.tenants, key = "T#acme#RATE" }

      read_erased   = { actions = ["dynamodb:BatchGetItem"], on = var.tenants, key = "T#acme#ERASED" }
      write_erased  = { actions = var.put, on = var.tenants, key = "T#acme#ERASED" }
      delete_erased = { actions = var.delete, on = var.tenants, key = "T#acme#ERASED" }
      touch_job     = { actions = concat(var.read, var.write), on = var.tenants, key = "T#acme#JOB" }

      claim_request = { actions = var.write, on = "table/membus-test-idempotency" }
      scan          = { actions = ["dynamodb:Scan", "dynamodb:PartiQLSelect", "dynamodb:PartiQLUpdate"], on = "" }
    }
  }

  assert {
    condition     = output.differences == {}
    error_message = "Change a function's `uses`, or what is expected here: ${jsonencode(output.differences)}"
  }
  assert {
    condition     = !strcontains(run.platform.policies.migrate, "dynamodb:")
    error_message = "Migrate must not reach DynamoDB."
  }
  assert {
    condition = (
      length(regexall("KEY#\\*", run.platform.policies.authorize)) == 1
      && !strcontains(run.platform.policies.authorize, "T#")
    )
    error_message = "Authorize must read API keys only, no user data."
  }
}

run "services" {
  module {
    source = "./tests/audit"
  }
  variables {
    policies = run.platform.policies

    expected = {
      # Erase and export continue by an event; authorize, extract and migrate publish nothing.
      put_event = "api, chat, erase, export, index"

      # Each route has one consumer, and only the bus fills it. Erase alone delays messages in its queue and reads
      # dead letters.
      consume          = "erase, export, extract, summarize"
      consume_due      = "summarize"
      send_extract     = "nobody"
      send_overflow    = "extract"
      send_erase       = "erase"
      send_quarantine  = "extract, index"
      read_dead_letter = "erase"

      # No language model on the data path; api and index embed texts and queries.
      ask_model = "chat, extract, summarize"
      embed     = "api, index"

      sign_cursor = "api"
      decrypt     = "nobody"

      # Migrate alone has the schema owner's login.
      read_owner_login = "migrate"
      read_app_login   = "api, erase, export, index, migrate"
      change_secret    = "nobody"

      # No function reaches the whole bucket or lists it.
      touch_bucket = "nobody"
      # Readers of objects: S3 tells them that one is absent, and not that it is forbidden.
      list_bucket = "api, archive, chat, erase, export, extract, index"

      # The archiver writes and merges archived episodes; erase rewrites them without a user.
      read_cold    = "api, archive, chat, erase, export"
      restore_cold = "api, archive, chat, erase, export"
      change_cold  = "archive, erase"

      # Functions that write large texts may write them; sweep deletes those of deleted conversations without reading
      # them.
      read_spill   = "api, chat, export, extract, index"
      write_spill  = "api, chat, extract"
      delete_spill = "api, erase, extract, index, sweep"

      # Export writes the file and cannot read it; api signs the address for the download.
      write_export = "export"
      read_export  = "api"
      abort_export = "erase, export"
      list_uploads = "erase"

      # Erase alone sees and deletes old versions.
      list_versions   = "erase"
      delete_versions = "erase"

      # Chat searches through api and invokes itself for long turns; no other function invokes one.
      invoke_api  = "chat"
      invoke_chat = "chat"
      invoke_any  = "chat"

      # Chat alone sends to sockets.
      push_frame    = "chat"
      push_anywhere = "chat"

      change_role = "nobody"
    }

    questions = {
      put_event = { actions = ["events:PutEvents"], on = "event-bus/membus-test-bus" }

      consume          = { actions = var.take, on = "" }
      consume_due      = { actions = var.take, on = "membus-test-summarize" }
      send_extract     = { actions = var.send, on = "membus-test-extract" }
      send_overflow    = { actions = var.send, on = "membus-test-extract-surplus" }
      send_erase       = { actions = var.send, on = "membus-test-erase" }
      send_quarantine  = { actions = var.send, on = "membus-test-quarantine" }
      read_dead_letter = { actions = var.take, on = "membus-test-extract-dlq" }

      ask_model = { actions = var.secret, on = "secret:model" }
      embed     = { actions = ["bedrock:InvokeModel"], on = "foundation-model/amazon.titan-embed-text-v2:0" }

      sign_cursor = { actions = ["kms:GenerateMac"], on = "key/cursors" }
      decrypt     = { actions = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], on = "" }

      read_owner_login = { actions = var.secret, on = "secret:owner" }
      read_app_login   = { actions = var.secret, on = "secret:app" }
      change_secret    = { actions = ["secretsmanager:PutSecretValue", "secretsmanager:UpdateSecret"], on = "" }

      touch_bucket = { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], on = "123456789012/*" }
      list_bucket  = { actions = ["s3:ListBucket"], on = "" }

      read_cold    = { actions = ["s3:GetObject"], on = "/*.parquet" }
      restore_cold = { actions = ["s3:RestoreObject"], on = "/*.parquet" }
      change_cold  = { actions = ["s3:PutObject", "s3:DeleteObject"], on = "/*.parquet" }

      read_spill   = { actions = ["s3:GetObject"], on = "/spill/*" }
      write_spill  = { actions = ["s3:PutObject"], on = "/spill/*" }
      delete_spill = { actions = ["s3:DeleteObject"], on = "/spill/*" }

      write_export = { actions = ["s3:PutObject"], on = "/exports/*" }
      read_export  = { actions = ["s3:GetObject"], on = "/exports/*" }
      abort_export = { actions = ["s3:AbortMultipartUpload"], on = "/exports/*" }
      list_uploads = { actions = ["s3:ListBucketMultipartUploads"], on = "" }

      list_versions   = { actions = ["s3:ListBucketVersions", "s3:GetObjectVersion"], on = "" }
      delete_versions = { actions = ["s3:DeleteObjectVersion"], on = "" }

      invoke_api  = { actions = var.invoke, on = "function:membus-test-api" }
      invoke_chat = { actions = var.invoke, on = "function:membus-test-chat" }
      invoke_any  = { actions = var.invoke, on = "" }

      push_frame    = { actions = ["execute-api:ManageConnections"], on = "/v1/POST/@connections/*" }
      push_anywhere = { actions = ["execute-api:ManageConnections", "execute-api:Invoke"], on = "" }

      change_role = { actions = ["sts:AssumeRole", "iam:PassRole"], on = "" }
    }
  }

  assert {
    condition     = output.differences == {}
    error_message = "Change a function's `uses`, or what is expected here: ${jsonencode(output.differences)}"
  }
  assert {
    condition = toset([
      for name in flatten(regexall("function:membus-test-(\\w+)", run.platform.policies.chat)) : name
    ]) == toset(["api", "chat"])
    error_message = "Chat must invoke api and itself only."
  }
  assert {
    condition     = length(regexall("@connections", run.platform.policies.chat)) == 2
    error_message = "Chat must send to sockets of its own stage only."
  }
}
