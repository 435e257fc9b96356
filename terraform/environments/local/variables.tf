variable "artifacts" {
  description = "Directory that the build wrote for this machine."
  type        = string
}

variable "extra_environment" {
  description = "What every function is told on top of its own: where the emulator and the model server are."
  type        = map(string)
}

variable "gateway_url" {
  description = "Where the emulator answers for APIs, by path: the host names that AWS gives them resolve nowhere."
  type        = string
}

variable "postgres" {
  description = "The laptop's server."
  type        = object({ host = string, port = number, database = string, owner_username = string })
}

variable "postgres_password" {
  description = "Password of its owner."
  type        = string
  sensitive   = true
}
