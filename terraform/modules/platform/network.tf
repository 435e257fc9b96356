module "network" {
  source = "../network"
  count  = var.network == null ? 0 : 1

  prefix                = local.prefix
  account               = local.account
  cidr                  = var.network.cidr
  availability_zone_ids = var.network.availability_zone_ids
  egress                = var.network.egress

  # The AWS services that functions in the VPC call besides the stores.
  interface_endpoints = ["bedrock-runtime", "events", "kms", "secretsmanager", "sqs"]
}

locals {
  # The network as its users see it: empty lists where the environment has none.
  networks = {
    stores = [for network in module.network : {
      vpc_id                   = network.vpc_id
      subnet_ids               = network.subnet_ids
      client_security_group_id = network.functions_security_group_id
    }]
    functions = [for network in module.network : {
      subnet_ids         = network.subnet_ids
      security_group_ids = [network.functions_security_group_id]
    }]
    egress = [for network in module.network : {
      subnet_ids         = network.subnet_ids
      security_group_ids = concat([network.functions_security_group_id], network.egress_security_group_ids)
    }]
  }
}
