# Egress to the internet, for a function in the VPC whose model is not on AWS: one NAT gateway, and a security group
# of its own, so that functions without that group cannot leave the VPC.
resource "aws_subnet" "public" {
  count = var.egress ? 1 : 0

  vpc_id               = aws_vpc.this.id
  availability_zone_id = var.availability_zone_ids[0]
  cidr_block           = cidrsubnet(var.cidr, 4, 15)

  tags = { Name = "${var.prefix}-public" }
}

resource "aws_internet_gateway" "this" {
  count = var.egress ? 1 : 0

  vpc_id = aws_vpc.this.id

  tags = { Name = var.prefix }
}

resource "aws_route_table" "public" {
  count = var.egress ? 1 : 0

  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this[0].id
  }

  tags = { Name = "${var.prefix}-public" }
}

resource "aws_route_table_association" "public" {
  count = var.egress ? 1 : 0

  subnet_id      = aws_subnet.public[0].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "egress" {
  count = var.egress ? 1 : 0

  domain = "vpc"

  tags = { Name = var.prefix }
}

resource "aws_nat_gateway" "this" {
  count = var.egress ? 1 : 0

  allocation_id = aws_eip.egress[0].id
  subnet_id     = aws_subnet.public[0].id

  tags       = { Name = var.prefix }
  depends_on = [aws_internet_gateway.this]
}

resource "aws_route" "egress" {
  count = var.egress ? 1 : 0

  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
}

resource "aws_security_group" "egress" {
  count = var.egress ? 1 : 0

  name        = "${var.prefix}-outward"
  description = "Functions inside the VPC that may call beyond it, over HTTPS"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "egress" {
  count = var.egress ? 1 : 0

  security_group_id = aws_security_group.egress[0].id
  description       = "HTTPS beyond the VPC"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

moved {
  from = aws_security_group.outward
  to   = aws_security_group.egress
}

moved {
  from = aws_vpc_security_group_egress_rule.outward
  to   = aws_vpc_security_group_egress_rule.egress
}
