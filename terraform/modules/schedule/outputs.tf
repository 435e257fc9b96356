output "policy" {
  description = "What Scheduler may do on behalf of the schedules, as JSON."
  value       = aws_iam_role_policy.this.policy
}
