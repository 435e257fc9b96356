resource "aws_lambda_layer_version" "this" {
  layer_name               = var.name
  filename                 = var.path
  source_code_hash         = filebase64sha256(var.path)
  compatible_runtimes      = [var.runtime]
  compatible_architectures = [var.architecture]

  lifecycle {
    create_before_destroy = true
  }
}
