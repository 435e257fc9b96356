variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "Whose principals may use the endpoints, and in which region."
  type        = object({ partition = string, region = string, id = string })
}

variable "cidr" {
  description = "Addresses of the VPC; each zone gets a sixteenth."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15))
    error_message = "An IPv4 range such as 10.40.0.0/16."
  }
}

variable "availability_zones" {
  description = "Zones with one private subnet each; Aurora wants two."
  type        = list(string)

  validation {
    condition     = length(distinct(var.availability_zones)) >= 2 && length(var.availability_zones) == length(distinct(var.availability_zones))
    error_message = "Name at least two different zones."
  }
}

variable "interface_endpoints" {
  description = "AWS services that functions inside the VPC call; each costs by zone and hour."
  type        = set(string)
  default     = ["secretsmanager"]
}

variable "egress" {
  description = "Open a way out for functions that carry the group `outward`: a NAT gateway in the first zone."
  type        = bool
  default     = false

  validation {
    condition     = !var.egress || length(var.availability_zones) <= 15
    error_message = "The last sixteenth of the range is the public subnet's."
  }
}
