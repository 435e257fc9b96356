terraform {
  required_version = "~> 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  backend "local" {}
}

# AWS_ENDPOINT_URL is the address of the emulator; the provider and the functions read the same variable.
provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true

  default_tags {
    tags = {
      project     = "membus"
      environment = "local"
    }
  }
}
