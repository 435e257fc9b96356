output "arn" {
  description = "This version of the layer, for functions to attach."
  value       = aws_lambda_layer_version.this.arn
}
