variable "name" {
  description = "Name of the layer, prefix included."
  type        = string
}

variable "path" {
  description = "The built zip, with its content under `python/`."
  type        = string
}

variable "runtime" {
  description = "Lambda runtime that the zip was built for."
  type        = string
  default     = "python3.13"
}

variable "architecture" {
  description = "Processor that the zip was built for."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}
