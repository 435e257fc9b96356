output "name" {
  description = "Name of the bucket, for a function's environment."
  value       = aws_s3_bucket.this.bucket
}

output "noncurrent_days" {
  description = "For how long a replaced or deleted version can be brought back."
  value       = var.noncurrent_days
}

output "grants" {
  description = "IAM statements by verb. `delete` removes versions too: it is erasure's. `cold` is for episodes in Parquet, `spill` for texts too large for an item, `exports` for what users take along; each sees nothing else."
  value = {
    read = [
      { Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.this.arn}/*"] },
      { Effect = "Allow", Action = ["s3:ListBucket"], Resource = [aws_s3_bucket.this.arn] },
    ]
    write  = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${aws_s3_bucket.this.arn}/*"] }]
    delete = [{ Effect = "Allow", Action = ["s3:DeleteObject", "s3:DeleteObjectVersion"], Resource = ["${aws_s3_bucket.this.arn}/*"] }]
    cold = {
      read   = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet"] }]
      write  = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet"] }]
      delete = [{ Effect = "Allow", Action = ["s3:DeleteObject"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet"] }]
      thaw   = [{ Effect = "Allow", Action = ["s3:RestoreObject"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet"] }]
    }
    # All versions of what holds a user's data, and which there are.
    erase = [
      { Effect = "Allow", Action = ["s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], Resource = [aws_s3_bucket.this.arn] },
      { Effect = "Allow", Action = ["s3:AbortMultipartUpload"], Resource = ["${aws_s3_bucket.this.arn}/exports/*"] },
      { Effect = "Allow", Action = ["s3:GetObjectVersion"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet"] },
      { Effect = "Allow", Action = ["s3:DeleteObject", "s3:DeleteObjectVersion"], Resource = ["${aws_s3_bucket.this.arn}/*.parquet", "${aws_s3_bucket.this.arn}/spill/*", "${aws_s3_bucket.this.arn}/exports/*"] },
    ]
    # What a user takes along: written by one function, fetched by an address that another one signs.
    exports = {
      read  = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.this.arn}/exports/*"] }]
      write = [{ Effect = "Allow", Action = ["s3:PutObject", "s3:AbortMultipartUpload"], Resource = ["${aws_s3_bucket.this.arn}/exports/*"] }]
    }
    spill = {
      read   = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${aws_s3_bucket.this.arn}/spill/*"] }]
      write  = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = ["${aws_s3_bucket.this.arn}/spill/*"] }]
      delete = [{ Effect = "Allow", Action = ["s3:DeleteObject"], Resource = ["${aws_s3_bucket.this.arn}/spill/*"] }]
    }
  }
}
