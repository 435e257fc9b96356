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

  # To a reader who may not list a bucket, S3 says that an absent object is forbidden: a broken policy would read as
  # "the text is gone". The request for an object carries no prefix, so no condition could narrow this.
  distinguish_absent = {
    Effect   = "Allow"
    Action   = ["s3:ListBucket"]
    Resource = [aws_s3_bucket.this.arn]
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
    users download. Readers of the first two may list the bucket, so that S3 says `absent` instead of `denied`.
    `erase`: deletes every version of all three, and lists versions.
  EOT
  value = merge(
    { for kind, verbs in local.actions : kind => {
      for verb, actions in verbs : verb => concat(
        [{
          Effect   = "Allow"
          Action   = actions
          Resource = [local.objects[kind]]
        }],
        verb == "read" && kind != "exports" ? [local.distinguish_absent] : [],
      )
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
