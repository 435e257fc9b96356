locals {
  ipv6  = var.egress == "ipv6"
  zones = { for index, zone in var.availability_zone_ids : zone => index }
}

resource "aws_vpc" "this" {
  cidr_block                       = var.cidr
  assign_generated_ipv6_cidr_block = local.ipv6
  enable_dns_hostnames             = true
  enable_dns_support               = true

  tags = { Name = var.prefix }
}

# The default security group permits nothing: a resource without a group of its own gets this one.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                          = aws_vpc.this.id
  availability_zone_id            = each.key
  cidr_block                      = cidrsubnet(var.cidr, 4, each.value)
  ipv6_cidr_block                 = local.ipv6 ? cidrsubnet(aws_vpc.this.ipv6_cidr_block, 8, each.value) : null
  assign_ipv6_address_on_creation = local.ipv6

  tags = { Name = "${var.prefix}-${each.key}" }
}

# A table for each zone, so that each can have a NAT gateway of its own.
resource "aws_route_table" "private" {
  for_each = local.zones

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}
