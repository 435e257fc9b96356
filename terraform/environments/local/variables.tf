variable "artifacts" {
  description = "Output directory of the build for this machine."
  type        = string
}

variable "extra_environment" {
  description = "Variables of every function: addresses of the emulator and the model server."
  type        = map(string)
}

variable "gateway_url" {
  description = "URL of the emulator's APIs, by path; the host names of AWS do not resolve there."
  type        = string
}

variable "postgres" {
  description = "The local PostgreSQL server, without its password."
  type = object({
    host           = string
    port           = number
    database       = string
    owner_username = string
  })
}

variable "postgres_password" {
  description = "Password of the server's owner."
  type        = string
  sensitive   = true
}
