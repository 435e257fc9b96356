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

variable "availability_zone_ids" {
  description = <<-EOT
    Ids of availability zones, such as `use1-az1`, one private subnet in each; Aurora needs two. Names differ by
    account: `us-east-1a` of one is another's `us-east-1c`.
  EOT
  type        = list(string)

  validation {
    condition = (
      length(var.availability_zone_ids) >= 2
      && length(var.availability_zone_ids) == length(distinct(var.availability_zone_ids))
    )
    error_message = "availability_zone_ids must name at least two zones, each once."
  }
  validation {
    condition     = alltrue([for id in var.availability_zone_ids : can(regex("^[a-z]+[0-9]+-az[0-9]+$", id))])
    error_message = "availability_zone_ids must be ids, such as use1-az1; a name is another zone in each account."
  }
  validation {
    condition     = !contains(var.availability_zone_ids, "use1-az3")
    error_message = "availability_zone_ids must not name use1-az3, where RDS Proxy does not exist."
  }
}

variable "interface_endpoints" {
  description = "AWS services that functions in the VPC call; each is billed by zone and hour."
  type        = set(string)
  default     = ["secretsmanager"]
}

variable "egress" {
  description = <<-EOT
    How functions in the VPC reach what is outside: `ipv6` (everything, by an egress-only gateway, for nothing),
    `endpoints` (the services of `interface_endpoints` and nothing else), or `nat` (as `endpoints`, and functions with
    the egress security group reach the internet by NAT gateways).
  EOT
  type        = string
  default     = "endpoints"

  validation {
    condition     = contains(["ipv6", "endpoints", "nat"], var.egress)
    error_message = "egress must be ipv6, endpoints or nat."
  }
  validation {
    condition     = var.egress != "nat" || length(var.availability_zone_ids) <= 8
    error_message = "egress = \"nat\" allows at most 8 availability_zone_ids: each takes a second sixteenth of cidr."
  }
}

variable "nat_per_zone" {
  description = "With `nat`: a gateway in each zone, so that the failure of a zone is no failure of the others."
  type        = bool
  default     = false

  validation {
    condition     = !var.nat_per_zone || var.egress == "nat"
    error_message = "nat_per_zone needs egress = \"nat\"."
  }
}
