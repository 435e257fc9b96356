terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# The state of the bootstrap is a local file, which is not committed: the bucket cannot hold the state that makes the
# bucket.
provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project     = "membus"
      environment = "shared"
    }
  }
}
