variable "prefix" {
  description = "Prepended to every name, e.g. `membus-dev`."
  type        = string
}

variable "account" {
  description = "The account whose principals may use the endpoints, and the region."
  type = object({
    partition = string
    region    = string
    id        = string
  })
}

variable "cidr" {
  description = "Address range of the VPC; the subnet of each zone gets a sixteenth."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 15))
    error_message = "cidr must be an IPv4 range that can be divided by 16, such as 10.40.0.0/16."
  }
}

variable "availability_zones" {
  description = "Availability zones, one private subnet in each; Aurora needs two."
  type        = list(string)

  validation {
    condition = (
      length(var.availability_zones) >= 2
      && length(var.availability_zones) == length(distinct(var.availability_zones))
    )
    error_message = "availability_zones must name at least two zones, each once."
  }
}

variable "interface_endpoints" {
  description = "AWS services that functions in the VPC call; each is billed by zone and hour."
  type        = set(string)
  default     = ["secretsmanager"]
}

variable "egress" {
  description = "Let functions with the egress security group reach the internet: a NAT gateway in the first zone."
  type        = bool
  default     = false

  validation {
    condition     = !var.egress || length(var.availability_zones) <= 15
    error_message = "egress allows at most 15 availability_zones: the last sixteenth of cidr is the public subnet."
  }
}
