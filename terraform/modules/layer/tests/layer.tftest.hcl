mock_provider "aws" {}

variables {
  name = "membus-test-membus"
  path = "./tests/fixtures/layer.zip"
}

run "a_new_zip_is_a_new_version_for_one_runtime_and_processor" {
  assert {
    condition     = aws_lambda_layer_version.this.source_code_hash == filebase64sha256(var.path)
    error_message = "The version must follow the zip's content."
  }
  assert {
    condition = (
      tolist(aws_lambda_layer_version.this.compatible_runtimes) == tolist(["python3.13"])
      && tolist(aws_lambda_layer_version.this.compatible_architectures) == tolist(["arm64"])
    )
    error_message = "The layer must name the runtime and processor of its binary wheels."
  }
}

run "an_unknown_processor_is_refused" {
  command = plan
  variables { architecture = "riscv64" }
  expect_failures = [var.architecture]
}
