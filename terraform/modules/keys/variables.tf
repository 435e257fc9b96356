variable "prefix" {
  description = "Prepended to every alias, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "The account and region of the keys, which their policies name."
  type = object({
    partition = string
    region    = string
    id        = string
  })
}
