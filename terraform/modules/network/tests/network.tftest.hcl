mock_provider "aws" {
  mock_resource "aws_vpc" {
    defaults = { ipv6_cidr_block = "2600:1f18::/56" }
  }
}

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
    condition     = alltrue([for table in aws_route_table.private : length(table.route) == 0])
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
  variables { egress = "nat" }
  assert {
    condition = (
      keys(aws_nat_gateway.this) == ["use1-az1"]
      && aws_subnet.public["use1-az1"].cidr_block == "10.40.240.0/20"
      && aws_route.egress["use1-az2"].destination_cidr_block == "0.0.0.0/0"
    )
    error_message = "There must be one gateway for all zones, in a subnet that overlaps with no zone's."
  }
  assert {
    condition = (
      aws_vpc_security_group_egress_rule.functions_inside.cidr_ipv4 == "10.40.0.0/16"
      && length(aws_vpc_security_group_egress_rule.functions_ipv6) == 0
      && length(output.egress_security_group_ids) == 1
    )
    error_message = "The functions' own security group must not lead out of the VPC."
  }
}

run "a_gateway_in_each_zone_outlives_the_others" {
  variables {
    egress       = "nat"
    nat_per_zone = true
  }
  assert {
    condition = (
      keys(aws_nat_gateway.this) == ["use1-az1", "use1-az2"]
      && aws_subnet.public["use1-az2"].cidr_block == "10.40.224.0/20"
      && aws_route.egress["use1-az2"].nat_gateway_id == aws_nat_gateway.this["use1-az2"].id
    )
    error_message = "Each zone must leave by its own gateway."
  }
}

run "ipv6_leads_out_for_nothing_and_nobody_in" {
  variables {
    egress              = "ipv6"
    interface_endpoints = ["bedrock-runtime"]
  }
  assert {
    condition = (
      aws_vpc.this.assign_generated_ipv6_cidr_block
      && length(aws_egress_only_internet_gateway.this) == 1
      && length(aws_internet_gateway.this) == 0
      && length(aws_nat_gateway.this) == 0
      && keys(aws_route.ipv6) == ["use1-az1", "use1-az2"]
    )
    error_message = "There must be one way out, by IPv6, and none in."
  }
  assert {
    condition = { for zone, subnet in aws_subnet.private : zone => subnet.ipv6_cidr_block } == {
      use1-az1 = "2600:1f18::/64"
      use1-az2 = "2600:1f18:0:1::/64"
    }
    error_message = "Each subnet must have both kinds of addresses."
  }
  assert {
    condition = (
      aws_vpc_security_group_egress_rule.functions_ipv6[0].cidr_ipv6 == "::/0"
      && aws_vpc_security_group_egress_rule.functions_ipv6[0].from_port == 443
      && output.egress_security_group_ids == []
    )
    error_message = "Every function reaches AWS by IPv6, over HTTPS."
  }
  assert {
    condition = (
      aws_vpc_endpoint.interface["bedrock-runtime"].subnet_ids == toset([aws_subnet.private["use1-az1"].id])
      && aws_vpc_endpoint.interface["bedrock-runtime"].tags.zones == "1"
      && keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"]
    )
    error_message = "An interface endpoint is billed by zone: one is enough."
  }
}

run "without_egress_there_is_no_gateway" {
  assert {
    condition = (
      length(aws_nat_gateway.this) == 0
      && length(aws_internet_gateway.this) == 0
      && length(aws_egress_only_internet_gateway.this) == 0
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

run "more_zones_than_nat_has_room_for_are_refused" {
  command = plan
  variables {
    egress                = "nat"
    availability_zone_ids = [for zone in range(9) : "use1-az${zone + 10}"]
  }
  expect_failures = [var.egress]
}

run "another_way_out_is_refused" {
  command = plan
  variables { egress = "internet" }
  expect_failures = [var.egress]
}

run "gateways_without_nat_are_refused" {
  command = plan
  variables {
    egress       = "ipv6"
    nat_per_zone = true
  }
  expect_failures = [var.nat_per_zone]
}
