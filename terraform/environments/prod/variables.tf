variable "alarm_topic_arn" {
  description = "SNS topic that receives the alarms."
  type        = string
}
