variable "prefix" {
  description = "Prepended to the secret's name, e.g. `membus-dev`."
  type        = string
}

variable "vendor" {
  description = "Vendor of the language model: `anthropic` (an API key in a secret) or `bedrock` (this account)."
  type        = string

  validation {
    condition     = contains(["anthropic", "bedrock"], var.vendor)
    error_message = "vendor must be anthropic or bedrock."
  }
}

variable "bedrock_arns" {
  description = "Foundation models and inference profiles that functions may invoke; only for `bedrock`."
  type        = list(string)
  default     = []

  validation {
    condition     = (var.vendor == "bedrock") == (length(var.bedrock_arns) > 0)
    error_message = "bedrock_arns must name the models if vendor is bedrock, and must be empty otherwise."
  }
}

variable "embedding_arns" {
  description = "Embedding models that functions may invoke: the one in use, and those being filled in beside it."
  type        = list(string)

  validation {
    condition     = length(var.embedding_arns) > 0
    error_message = "embedding_arns must name an embedding model: search needs one whatever the vendor."
  }
}

variable "key_arn" {
  description = "KMS key that encrypts the secret."
  type        = string
}

variable "protected" {
  description = "Keep a deleted secret for a week."
  type        = bool
  default     = true
}
