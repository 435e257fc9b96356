output "name" {
  description = "Name of the bucket, for a function's environment."
  value       = aws_s3_bucket.this.bucket
}

output "noncurrent_days" {
  description = "How many days a replaced or deleted version is kept."
  value       = var.noncurrent_days
}

locals {
  parquet = "${aws_s3_bucket.this.arn}/*.parquet"
  spill   = "${aws_s3_bucket.this.arn}/spill/*"
  exports = "${aws_s3_bucket.this.arn}/exports/*"

  # Actions by kind of object and verb.
  actions = {
    cold = {
      read    = ["s3:GetObject"]
      write   = ["s3:PutObject"]
      delete  = ["s3:DeleteObject"]
      restore = ["s3:RestoreObject"]
    }
    spill = {
      read   = ["s3:GetObject"]
      write  = ["s3:PutObject"]
      delete = ["s3:DeleteObject"]
    }
    exports = {
      read  = ["s3:GetObject"]
      write = ["s3:PutObject", "s3:AbortMultipartUpload"]
    }
  }

  objects = {
    cold    = local.parquet
    spill   = local.spill
    exports = local.exports
  }
}

output "grants" {
  description = <<-EOT
    IAM statements by kind of object and verb; a kind permits nothing of another. `cold`: episodes in Parquet, which
    `restore` brings back from a slow storage class. `spill`: texts too large for an item. `exports`: files that
    users download. `erase`: deletes every version of all three, and lists versions.
  EOT
  value = merge(
    { for kind, verbs in local.actions : kind => {
      for verb, actions in verbs : verb => [{
        Effect   = "Allow"
        Action   = actions
        Resource = [local.objects[kind]]
      }]
    } },
    {
      erase = [
        {
          Effect   = "Allow"
          Action   = ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"]
          Resource = [aws_s3_bucket.this.arn]
        },
        {
          Effect   = "Allow"
          Action   = ["s3:AbortMultipartUpload"]
          Resource = [local.exports]
        },
        {
          Effect   = "Allow"
          Action   = ["s3:GetObjectVersion"]
          Resource = [local.parquet]
        },
        {
          Effect   = "Allow"
          Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
          Resource = [local.parquet, local.spill, local.exports]
        },
      ]
    },
  )
}
