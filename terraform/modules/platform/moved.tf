# The function of the data API was called `memory`. AWS makes the function, its role and its log group anew under the
# name `api`; the gateway's integration stays and changes its target. Remove this file once every environment has
# applied it.
moved {
  from = module.functions["memory"]
  to   = module.functions["api"]
}

moved {
  from = module.api.aws_apigatewayv2_integration.this["memory"]
  to   = module.api.aws_apigatewayv2_integration.this["api"]
}

moved {
  from = module.api.aws_lambda_permission.target["memory"]
  to   = module.api.aws_lambda_permission.target["api"]
}
