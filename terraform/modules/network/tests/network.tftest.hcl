mock_provider "aws" {}

variables {
  prefix                = "membus-test"
  account               = { partition = "aws", region = "us-east-1", id = "123456789012" }
  availability_zone_ids = ["use1-az1", "use1-az2"]
}

run "each_zone_has_a_private_subnet_of_its_own" {
  assert {
    condition = {
      for zone, subnet in aws_subnet.private : zone => subnet.cidr_block
    } == { use1-az1 = "10.40.0.0/20", use1-az2 = "10.40.16.0/20" }
    error_message = "Subnets follow the zones, without overlap."
  }
  assert {
    condition     = aws_subnet.private["use1-az2"].availability_zone_id == "use1-az2"
    error_message = "A zone's id is the same place in every account; its name is not."
  }
  assert {
    condition     = length(output.subnet_ids) == 2
    error_message = "Both subnets must be in the outputs."
  }
}

run "nothing_leaves_the_network_but_through_endpoints_for_this_account" {
  assert {
    condition     = length(aws_route_table.private.route) == 0
    error_message = "Without egress nothing may lead out of the VPC."
  }
  assert {
    condition = alltrue([for endpoint in merge(aws_vpc_endpoint.gateway, aws_vpc_endpoint.interface) :
      jsondecode(endpoint.policy).Statement[0].Condition.StringEquals["aws:PrincipalAccount"] == "123456789012"
    ])
    error_message = "Endpoints must serve this account's principals only."
  }
  assert {
    condition = (
      keys(aws_vpc_endpoint.interface) == ["secretsmanager"]
      && keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    )
    error_message = "Only the endpoints that functions in the VPC call may exist."
  }
}

run "egress_is_only_for_its_security_group" {
  variables { egress = true }
  assert {
    condition = (
      length(aws_nat_gateway.this) == 1
      && aws_subnet.public[0].cidr_block == "10.40.240.0/20"
      && aws_route.egress[0].destination_cidr_block == "0.0.0.0/0"
    )
    error_message = "There must be one gateway, in a subnet that overlaps with no zone's."
  }
  assert {
    condition = (
      aws_vpc_security_group_egress_rule.functions_inside.cidr_ipv4 == "10.40.0.0/16"
      && length(output.egress_security_group_ids) == 1
    )
    error_message = "The functions' own security group must not lead out of the VPC."
  }
}

run "without_egress_there_is_no_gateway" {
  assert {
    condition = (
      length(aws_nat_gateway.this) == 0
      && length(aws_internet_gateway.this) == 0
      && output.egress_security_group_ids == []
    )
    error_message = "Without egress there must be no gateway and no security group for it."
  }
}

run "endpoints_accept_functions_only" {
  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints.referenced_security_group_id
      == aws_security_group.functions.id
    )
    error_message = "Endpoints must accept functions only."
  }
}

run "one_zone_is_refused" {
  command = plan
  variables { availability_zone_ids = ["use1-az1"] }
  expect_failures = [var.availability_zone_ids]
}

run "the_same_zone_twice_is_refused" {
  command = plan
  variables { availability_zone_ids = ["use1-az1", "use1-az1"] }
  expect_failures = [var.availability_zone_ids]
}

run "a_zone_by_name_is_refused" {
  command = plan
  variables { availability_zone_ids = ["us-east-1a", "us-east-1b"] }
  expect_failures = [var.availability_zone_ids]
}

run "a_zone_without_rds_proxy_is_refused" {
  command = plan
  variables { availability_zone_ids = ["use1-az1", "use1-az3"] }
  expect_failures = [var.availability_zone_ids]
}

run "a_range_that_cannot_be_divided_is_refused" {
  command = plan
  variables { cidr = "10.40.0.0/30" }
  expect_failures = [var.cidr]
}

run "egress_without_room_for_its_subnet_is_refused" {
  command = plan
  variables {
    egress                = true
    availability_zone_ids = [for zone in range(16) : "use1-az${zone + 10}"]
  }
  expect_failures = [var.egress]
}
