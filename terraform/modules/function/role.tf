locals {
  logs = {
    Effect    = "Allow"
    Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource  = ["${aws_cloudwatch_log_group.this.arn}:*"]
    Condition = {}
  }

  # Lambda reads the subnets in the role's name. AWS's policy for network interfaces lacks this action, which knows no
  # resources.
  subnets = [for network in var.network[*] : {
    Effect    = "Allow"
    Action    = ["ec2:DescribeSubnets"]
    Resource  = ["*"]
    Condition = {}
  }]

  statements = distinct(concat([local.logs], local.subnets, flatten(var.uses[*].grants), var.triggers.grants))

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for grant in local.statements : merge(
      {
        Effect   = grant.Effect
        Action   = grant.Action
        Resource = grant.Resource
      },
      length(grant.Condition) == 0 ? {} : { Condition = grant.Condition },
    )]
  })
}

resource "aws_iam_role" "this" {
  name = var.name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "grants"
  role   = aws_iam_role.this.id
  policy = local.policy
}

# Network interfaces cannot be named before they exist; AWS's own policy holds just that.
resource "aws_iam_role_policy_attachment" "network" {
  count = var.network == null ? 0 : 1

  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
}
