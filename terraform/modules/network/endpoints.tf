locals {
  # With `ipv6` the cheapest: one zone. The other zones' functions reach it there.
  endpoint_zones = local.ipv6 ? slice(var.availability_zone_ids, 0, 1) : var.availability_zone_ids

  own_principals = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = var.account.id } }
    }]
  })
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.account.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for table in aws_route_table.private : table.id]
  policy            = local.own_principals

  tags = { Name = "${var.prefix}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = var.interface_endpoints

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.account.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for zone in local.endpoint_zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoints.id]
  policy              = local.own_principals

  # Billed by zone; a plan knows no subnets yet, so `cost estimate` reads the tag.
  tags = {
    Name  = "${var.prefix}-${each.key}"
    zones = length(local.endpoint_zones)
  }
}

resource "aws_security_group" "functions" {
  name        = "${var.prefix}-functions"
  description = "Functions inside the VPC: nobody calls them, they call the stores and the endpoints"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_egress_rule" "functions_inside" {
  security_group_id = aws_security_group.functions.id
  description       = "Stores and interface endpoints"
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 6380
}

resource "aws_vpc_security_group_egress_rule" "functions_gateways" {
  for_each = aws_vpc_endpoint.gateway

  security_group_id = aws_security_group.functions.id
  description       = "The ${each.key} gateway"
  prefix_list_id    = each.value.prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_security_group" "endpoints" {
  name        = "${var.prefix}-endpoints"
  description = "Interface endpoints: functions call them"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  security_group_id            = aws_security_group.endpoints.id
  description                  = "HTTPS from functions"
  referenced_security_group_id = aws_security_group.functions.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}
