# `ipv6`: functions reach AWS and the internet by IPv6, through a gateway that lets nobody in, costs nothing and has no
# zone.
resource "aws_egress_only_internet_gateway" "this" {
  count = local.ipv6 ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = var.prefix }
}

resource "aws_route" "ipv6" {
  for_each = local.ipv6 ? local.zones : {}

  route_table_id              = aws_route_table.private[each.key].id
  destination_ipv6_cidr_block = "::/0"
  egress_only_gateway_id      = aws_egress_only_internet_gateway.this[0].id
}

resource "aws_vpc_security_group_egress_rule" "functions_ipv6" {
  count = local.ipv6 ? 1 : 0

  security_group_id = aws_security_group.functions.id
  description       = "HTTPS to AWS services and beyond, by IPv6"
  cidr_ipv6         = "::/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# `nat`: functions with a security group of their own leave the VPC by NAT gateways; the others cannot.
locals {
  nat = var.egress == "nat" ? 1 : 0
  nat_zones = {
    for zone, index in local.zones : zone => index if local.nat == 1 && (var.nat_per_zone || index == 0)
  }
}

resource "aws_subnet" "public" {
  for_each = local.nat_zones

  vpc_id               = aws_vpc.this.id
  availability_zone_id = each.key
  cidr_block           = cidrsubnet(var.cidr, 4, 15 - each.value)

  tags = { Name = "${var.prefix}-public-${each.key}" }
}

resource "aws_internet_gateway" "this" {
  count = local.nat

  vpc_id = aws_vpc.this.id

  tags = { Name = var.prefix }
}

resource "aws_route_table" "public" {
  count = local.nat

  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this[0].id
  }

  tags = { Name = "${var.prefix}-public" }
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "egress" {
  for_each = local.nat_zones

  domain = "vpc"

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = local.nat_zones

  allocation_id = aws_eip.egress[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags       = { Name = "${var.prefix}-${each.key}" }
  depends_on = [aws_internet_gateway.this]
}

resource "aws_route" "egress" {
  for_each = local.nat == 1 ? local.zones : {}

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[var.nat_per_zone ? each.key : var.availability_zone_ids[0]].id
}

resource "aws_security_group" "egress" {
  count = local.nat

  name        = "${var.prefix}-outward"
  description = "Functions inside the VPC that may call beyond it, over HTTPS"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "egress" {
  count = local.nat

  security_group_id = aws_security_group.egress[0].id
  description       = "HTTPS beyond the VPC"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
