variable "prefix" {
  description = "Prepended to every alias, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "Where the keys live; their policies name the account."
  type        = object({ partition = string, region = string, id = string })
}
