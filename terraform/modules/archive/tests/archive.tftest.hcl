mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::membus-test-archive" }
  }
}

variables {
  name    = "membus-test-archive-123456789012"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"
}

run "the_bucket_is_private_and_encrypted" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Public access is blocked in all four ways."
  }
  assert {
    condition = (
      jsondecode(aws_s3_bucket_policy.this[0].policy).Statement[0].Condition.Bool["aws:SecureTransport"]
      == "false"
    )
    error_message = "Plain HTTP is refused."
  }
  assert {
    condition = one(flatten([
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      rule.apply_server_side_encryption_by_default[*].kms_master_key_id
    ])) == var.key_arn
    error_message = "Objects are encrypted with the data key."
  }
}

run "objects_move_to_cheaper_classes_that_answer_at_once" {
  assert {
    condition = {
      for transition in aws_s3_bucket_lifecycle_configuration.this.rule[0].transition :
      transition.storage_class => transition.days
      } == {
      INTELLIGENT_TIERING = 30
      GLACIER_IR          = 365
    }
    error_message = "The tiers must reach the lifecycle."
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 0
    error_message = "Episodes must not expire by age: only an erasure removes them."
  }
}

run "unfinished_uploads_and_old_versions_expire" {
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].abort_incomplete_multipart_upload[0].days_after_initiation
      == 7
    )
    error_message = "Unfinished uploads must be aborted: they cost money and are no objects."
  }
  assert {
    condition = (
      aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days
      == 7
    )
    error_message = "Old versions must expire after a week."
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "The output must state how long old versions are kept."
  }
}

run "objects_of_states_expire" {
  assert {
    condition = (
      one(aws_s3_bucket_lifecycle_configuration.this.rule[1].filter).prefix == "spill/states/"
      && one(aws_s3_bucket_lifecycle_configuration.this.rule[1].expiration).days > 365
    )
    error_message = "Objects of states must expire after a year, and episodes must not."
  }
}

run "an_export_is_gone_after_a_week" {
  assert {
    condition = alltrue([
      one(aws_s3_bucket_lifecycle_configuration.this.rule[2].filter).prefix == "exports/",
      one(aws_s3_bucket_lifecycle_configuration.this.rule[2].expiration).days == 7,
      one(aws_s3_bucket_lifecycle_configuration.this.rule[2].noncurrent_version_expiration).noncurrent_days == 1,
    ])
    error_message = "Files of exports and their versions must expire."
  }
  assert {
    condition = toset(flatten([
      for verb in output.grants.exports : [for statement in verb : statement.Resource]
    ])) == toset(["arn:aws:s3:::membus-test-archive/exports/*"])
    error_message = "A grant for exports must cover exports only."
  }
}

run "a_grant_for_large_texts_covers_nothing_else" {
  assert {
    condition = toset(flatten([
      for verb in output.grants.spill : [
        for statement in verb : statement.Resource if statement.Action != ["s3:ListBucket"]
      ]
    ])) == toset(["arn:aws:s3:::membus-test-archive/spill/*"])
    error_message = "A grant for large texts must cover large texts only."
  }
  assert {
    condition = flatten([
      for verb in ["read", "write", "delete"] : [for statement in output.grants.spill[verb] : statement.Action]
    ]) == ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:DeleteObject"]
    error_message = "A grant for large texts must not permit deleting versions."
  }
}

run "readers_learn_that_an_object_is_absent" {
  assert {
    condition = { for kind in ["cold", "spill", "exports"] : kind => flatten([
      for verb in output.grants[kind] : [
        for statement in verb : statement.Resource if statement.Action == ["s3:ListBucket"]
      ]
      ]) } == {
      cold    = ["arn:aws:s3:::membus-test-archive"]
      spill   = ["arn:aws:s3:::membus-test-archive"]
      exports = []
    }
    error_message = "Without s3:ListBucket S3 answers 403 for an absent object, as for a broken policy."
  }
}

run "a_verb_permits_one_action_and_erase_alone_deletes_versions" {
  assert {
    condition = { for verb, statements in output.grants.cold : verb => statements[0].Action } == {
      delete  = ["s3:DeleteObject"]
      read    = ["s3:GetObject"]
      restore = ["s3:RestoreObject"]
      write   = ["s3:PutObject"]
    }
    error_message = "A verb of `cold` must permit its own action only."
  }
  assert {
    condition     = strcontains(jsonencode(output.grants.erase), "s3:DeleteObjectVersion")
    error_message = "An erasure must be able to delete old versions."
  }
}

run "protection_can_be_switched_off" {
  variables {
    protected = false
    tls_only  = false
  }
  assert {
    condition     = aws_s3_bucket.this.force_destroy && length(aws_s3_bucket_policy.this) == 0
    error_message = "An unprotected bucket must be deletable, and accept plain HTTP without tls_only."
  }
}

run "a_tier_that_needs_a_restore_is_refused" {
  command = plan
  variables { tiers = [{ after_days = 90, storage_class = "DEEP_ARCHIVE" }] }
  expect_failures = [var.tiers]
}

run "keeping_every_version_is_refused" {
  command = plan
  variables { noncurrent_days = 0 }
  expect_failures = [var.noncurrent_days]
}

run "failures_of_the_archiver_raise_an_alarm" {
  variables {
    alarm = {
      prefix      = "membus-test-archive"
      environment = "test"
      topic_arn   = "arn:aws:sns:us-east-1:123456789012:alarms"
    }
  }
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.problems[0].dimensions == tomap({ service = "archive", environment = "test" })
      && aws_cloudwatch_metric_alarm.problems[0].evaluation_periods == 3
    )
    error_message = "The alarm must watch this environment's archiver and wait for three failures."
  }
}

run "without_a_topic_there_is_no_alarm" {
  variables { alarm = { prefix = "membus-test-archive", environment = "test" } }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.problems) == 0
    error_message = "Without a topic there must be no alarm: it costs money and notifies nobody."
  }
}
