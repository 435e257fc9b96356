module "network" {
  source = "../network"
  count  = var.network == null ? 0 : 1

  prefix                = local.prefix
  account               = local.account
  cidr                  = var.network.cidr
  availability_zone_ids = var.network.availability_zone_ids
  egress                = var.network.egress
  nat_per_zone          = var.network.nat_per_zone

  # The AWS services that functions in the VPC call besides the stores. By IPv6 they need no endpoint, but for Bedrock's
  # runtime, which documents no dual-stack endpoint: embeddings are Bedrock's, whoever answers in chat.
  interface_endpoints = (
    var.network.egress == "ipv6"
    ? ["bedrock-runtime"]
    : ["bedrock-runtime", "events", "kms", "secretsmanager", "sqs"]
  )
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
      ipv6               = var.network.egress == "ipv6"
    }]
    egress = [for network in module.network : {
      subnet_ids         = network.subnet_ids
      security_group_ids = concat([network.functions_security_group_id], network.egress_security_group_ids)
      ipv6               = var.network.egress == "ipv6"
    }]
  }

  # What a function inside reads in its environment. Its only way to AWS is IPv6, but for Bedrock's endpoint.
  network_settings = try(var.network.egress, "endpoints") != "ipv6" ? {} : {
    AWS_USE_DUALSTACK_ENDPOINT       = "true"
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME = "https://bedrock-runtime.${local.account.region}.amazonaws.com"
  }
}
