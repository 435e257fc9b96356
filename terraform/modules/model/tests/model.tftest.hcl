mock_provider "aws" {}

variables {
  prefix  = "membus-test"
  vendor  = "anthropic"
  key_arn = "arn:aws:kms:us-east-1:123456789012:key/data"

  embedding_arns = ["arn:aws:bedrock:us-east-1::foundation-model/embedder"]
}

run "anthropic_needs_its_secret_and_nothing_else" {
  assert {
    condition     = output.environment == { MODEL_PROVIDER = "anthropic", MODEL_SECRET_ID = "membus-test-model" }
    error_message = "The function must find its API key by name."
  }
  assert {
    condition = (
      output.grants.ask[0].Action == tolist(["secretsmanager:GetSecretValue"])
      && length(output.grants.ask[0].Resource) == 1
    )
    error_message = "Asking Anthropic takes one secret."
  }
}

run "bedrock_names_its_models_and_keeps_no_secret" {
  variables {
    vendor       = "bedrock"
    bedrock_arns = ["arn:aws:bedrock:us-east-1::foundation-model/a"]
  }
  assert {
    condition     = length(aws_secretsmanager_secret.this) == 0 && output.secret_id == null
    error_message = "Bedrock needs no secret."
  }
  assert {
    condition     = output.grants.ask[0].Resource == var.bedrock_arns
    error_message = "Only the named models may be invoked."
  }
}

run "another_vendor_is_refused" {
  command = plan
  variables { vendor = "somebody" }
  expect_failures = [var.vendor]
}

run "bedrock_without_models_is_refused" {
  command = plan
  variables { vendor = "bedrock" }
  expect_failures = [var.bedrock_arns]
}

run "embedding_is_a_grant_of_its_own" {
  assert {
    condition = (
      output.grants.embed[0].Action == ["bedrock:InvokeModel"]
      && output.grants.embed[0].Resource == var.embedding_arns
    )
    error_message = "`embed` and `ask` must not permit each other's calls."
  }
}

run "without_an_embedding_model_there_is_no_plan" {
  command = plan
  variables { embedding_arns = [] }
  expect_failures = [var.embedding_arns]
}
