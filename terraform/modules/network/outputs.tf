output "vpc_id" {
  description = "The VPC, for stores that make their own security group."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Private subnets, one per zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "functions_security_group_id" {
  description = "Security group of functions inside the VPC; stores let it in."
  value       = aws_security_group.functions.id
}

output "outward_security_group_ids" {
  description = "What a function inside the VPC carries to call beyond it; empty without `egress`."
  value       = aws_security_group.outward[*].id
}
