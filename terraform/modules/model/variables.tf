variable "prefix" {
  description = "Prepended to the secret's name, e.g. `membus-dev`."
  type        = string
}

variable "vendor" {
  description = "Who answers: `anthropic` (an API key in a secret) or `bedrock` (this account)."
  type        = string

  validation {
    condition     = contains(["anthropic", "bedrock"], var.vendor)
    error_message = "The vendor is anthropic or bedrock."
  }
}

variable "bedrock_arns" {
  description = "Foundation models and inference profiles that may be invoked; only for `bedrock`."
  type        = list(string)
  default     = []

  validation {
    condition     = (var.vendor == "bedrock") == (length(var.bedrock_arns) > 0)
    error_message = "Name the models' ARNs with bedrock, and only with bedrock."
  }
}

variable "embedding_arns" {
  description = "Embedding models that may be invoked: the one in use, and one that is being filled in beside it."
  type        = list(string)

  validation {
    condition     = length(var.embedding_arns) > 0
    error_message = "Name an embedding model: search by meaning needs one, whoever answers the chat."
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
