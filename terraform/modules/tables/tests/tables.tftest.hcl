mock_provider "aws" {
  override_resource {
    target = aws_dynamodb_table.this["facts"]
    values = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-facts" }
  }
}

variables {
  prefix  = "membus-test"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
  tables = {
    facts = {
      range_key = "sk"
      stream    = true
      indexes   = { by_user = { hash_key = "user_pk", range_key = "user_sk" } }
      collections = {
        facts  = { keys = ["T#*#U#*"], except = ["T#*#A#*"] }
        events = { keys = ["T#*#EV#*"], indexes = { by_user = ["T#*#U#*"] } }
      }
    }
    records = { hash_key = "id", ttl_attribute = "idle_until", collections = { all = {} } }
  }
}

run "each_table_expires_by_its_own_attribute" {
  assert {
    condition = (
      aws_dynamodb_table.this["records"].ttl[0].attribute_name == "idle_until"
      && aws_dynamodb_table.this["records"].ttl[0].enabled
    )
    error_message = "A caller's ttl_attribute must reach the table."
  }
  assert {
    condition     = aws_dynamodb_table.this["facts"].ttl[0].attribute_name == "expires_at"
    error_message = "By default items must expire by expires_at."
  }
}

run "tables_are_protected_recoverable_and_encrypted_unless_told_otherwise" {
  assert {
    condition = alltrue([for table in aws_dynamodb_table.this :
      table.deletion_protection_enabled
      && table.point_in_time_recovery[0].enabled
      && table.point_in_time_recovery[0].recovery_period_in_days == 7
      && table.server_side_encryption[0].kms_key_arn == var.key_arn
    ])
    error_message = "Every table keeps deletion protection, backups and the data key."
  }
}

run "protection_can_be_switched_off" {
  variables { protected = false }
  assert {
    condition = alltrue([
      for table in aws_dynamodb_table.this :
      !table.deletion_protection_enabled && !table.point_in_time_recovery[0].enabled
    ])
    error_message = "An unprotected table must be deletable."
  }
}

run "only_tables_that_say_so_stream_their_changes" {
  assert {
    condition = (
      aws_dynamodb_table.this["facts"].stream_view_type == "NEW_AND_OLD_IMAGES"
      && !aws_dynamodb_table.this["records"].stream_enabled
    )
    error_message = "A table must stream if `stream` is set, and only then."
  }
}

run "every_key_of_an_index_is_declared_once" {
  assert {
    condition = toset([
      for attribute in aws_dynamodb_table.this["facts"].attribute : attribute.name
    ]) == toset(["pk", "sk", "user_pk", "user_sk"])
    error_message = "Exactly the attributes of keys must be declared, as DynamoDB requires."
  }
  assert {
    condition = toset([
      for attribute in aws_dynamodb_table.this["records"].attribute : attribute.name
    ]) == toset(["id"])
    error_message = "A table without range key declares only its hash key."
  }
}

run "a_read_grant_cannot_write_and_stays_in_its_collection" {
  assert {
    condition = output.grants.facts.facts.read[0].Action == [
      "dynamodb:GetItem",
      "dynamodb:BatchGetItem",
      "dynamodb:Query",
    ]
    error_message = "The read grant must stay read-only."
  }
  assert {
    condition = jsonencode(output.grants.facts.facts.read[0].Condition) == jsonencode({
      "ForAllValues:StringLike"    = { "dynamodb:LeadingKeys" = ["T#*#U#*"] }
      "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["T#*#A#*"] }
    })
    error_message = "A grant must be limited to the leading keys of its collection."
  }
  assert {
    condition     = output.grants.facts.facts.get[0].Action == ["dynamodb:GetItem"]
    error_message = "`get` is one item by its key, no listing."
  }
}

run "an_index_is_read_under_its_own_leading_key_and_never_written" {
  assert {
    condition = output.grants.facts.events.read[1].Resource == [
      "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-facts/index/by_user",
    ]
    error_message = "`read` must include the collection's indexes."
  }
  assert {
    condition = (
      output.grants.facts.events.read[1].Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
      == tolist(["T#*#U#*"])
    )
    error_message = "A grant on an index must be limited by the index's partition key."
  }
  assert {
    condition     = length(output.grants.facts.events.write) == 1 && length(output.grants.facts.facts.read) == 1
    error_message = "A grant must include an index only for readers of a collection that has one."
  }
}

run "write_does_not_include_delete" {
  assert {
    condition = (
      !contains(output.grants.facts.facts.write[0].Action, "dynamodb:DeleteItem")
      && output.grants.facts.facts.delete[0].Action == ["dynamodb:DeleteItem"]
    )
    error_message = "`write` must not permit deleting."
  }
}

run "no_tables_is_refused" {
  command = plan
  variables { tables = {} }
  expect_failures = [var.tables]
}

run "an_unknown_index_is_refused" {
  command = plan
  variables { tables = { facts = { collections = { facts = { indexes = { nowhere = ["T#*"] } } } } } }
  expect_failures = [var.tables]
}

run "recovery_beyond_what_dynamodb_keeps_is_refused" {
  command = plan
  variables { recovery_days = 36 }
  expect_failures = [var.recovery_days]
}

run "a_stream_is_read_by_a_grant_that_reads_no_item" {
  assert {
    condition = (
      keys(output.streams) == ["facts"]
      && output.streams.facts.grants[0].Resource == [
        "arn:aws:dynamodb:us-east-1:123456789012:table/membus-test-facts/stream/*",
      ]
    )
    error_message = "Only a table with a stream may be in the output."
  }
  assert {
    condition = length(setintersection(
      output.streams.facts.grants[0].Action,
      ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"],
    )) == 0
    error_message = "A stream's grant must not permit reading the table."
  }
}
