output "vpc_id" {
  description = "Id of the VPC, for stores that make a security group."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Private subnets, one per zone."
  value       = [for subnet in aws_subnet.private : subnet.id]
}

output "functions_security_group_id" {
  description = "Security group of functions in the VPC, for the rules of the stores."
  value       = aws_security_group.functions.id
}

output "egress_security_group_ids" {
  description = "Security groups that let a function leave the VPC; empty without `nat`."
  value       = aws_security_group.egress[*].id
}

output "endpoints" {
  description = "AWS services with an interface endpoint, in alphabetical order."
  value       = keys(aws_vpc_endpoint.interface)
}
