output "inputs" {
  description = "What the schedules hand over, by name."
  value       = { for name, schedule in aws_scheduler_schedule.this : name => jsondecode(schedule.target[0].input) }
}

output "policy" {
  description = "What Scheduler may do on behalf of the schedules, as JSON."
  value       = aws_iam_role_policy.this.policy
}
