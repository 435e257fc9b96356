output "inputs" {
  description = "The input of each schedule, by name."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => jsondecode(schedule.target[0].input) }
}

output "policy" {
  description = "The permissions of the schedules' role, as JSON."
  value       = aws_iam_role_policy.this.policy
}
