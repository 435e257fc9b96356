variable "alarm_topic_arn" {
  description = "SNS topic of whoever is on call; without it there would be no alarms."
  type        = string
}
