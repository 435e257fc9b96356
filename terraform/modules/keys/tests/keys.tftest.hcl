mock_provider "aws" {}

variables {
  prefix  = "membus-test"
  account = { partition = "aws", region = "eu-west-1", id = "123456789012" }
}

run "the_data_key_rotates_and_serves_only_this_accounts_stores" {
  assert {
    condition     = aws_kms_key.data.enable_key_rotation
    error_message = "The data key must rotate."
  }
  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.data.policy).Statement :
      statement.Condition.StringEquals["kms:CallerAccount"] == "123456789012"
      if statement.Principal.AWS == "*"
    ])
    error_message = "A statement for every principal must be limited to the account."
  }
  assert {
    condition = contains(
      jsondecode(aws_kms_key.data.policy).Statement[1].Condition.StringEquals["kms:ViaService"],
      "dynamodb.eu-west-1.amazonaws.com",
    )
    error_message = "Tables must be able to use the key."
  }
}

run "the_cursor_key_only_makes_macs" {
  assert {
    condition = (
      aws_kms_key.cursors.key_usage == "GENERATE_VERIFY_MAC"
      && aws_kms_key.cursors.customer_master_key_spec == "HMAC_256"
    )
    error_message = "Cursors are signed with HMAC-SHA-256, never encrypted."
  }
  assert {
    condition     = output.grants.cursors.sign[0].Action == ["kms:GenerateMac"]
    error_message = "`sign` must permit signing only."
  }
}
