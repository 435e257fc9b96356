locals {
  verbs = {
    get    = ["dynamodb:GetItem"]
    read   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
    write  = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"]
    delete = ["dynamodb:DeleteItem"]
  }

  # Scan and PartiQL are in no verb: they carry no leading key, and `ForAllValues` lets a request without one pass.
  walls = { for name, table in var.tables : name => {
    for collection, wall in table.collections : collection => merge(
      length(wall.keys) == 0 ? {} : { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = wall.keys } },
      length(wall.except) == 0 ? {} : { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = wall.except } },
    )
  } }

  # An index is read under its own partition key, hence its own statement.
  index_statements = { for name, table in var.tables : name => {
    for collection, wall in table.collections : collection => [for index, keys in wall.indexes : {
      Effect    = "Allow"
      Action    = ["dynamodb:Query"]
      Resource  = ["${aws_dynamodb_table.this[name].arn}/index/${index}"]
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = keys } }
    }]
  } }
}

output "names" {
  description = "Table names by logical name, for a function's environment."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "grants" {
  description = "IAM statements by table, collection and verb (`get`, `read`, `write`, `delete`); a function lists what it needs."
  value = { for name, table in var.tables : name => {
    for collection, wall in table.collections : collection => {
      for verb, actions in local.verbs : verb => concat(
        [{
          Effect    = "Allow"
          Action    = actions
          Resource  = [aws_dynamodb_table.this[name].arn]
          Condition = local.walls[name][collection]
        }],
        [for statement in local.index_statements[name][collection] : statement if verb == "read"],
      )
    }
  } }
}

output "streams" {
  description = "Streams by table: the `arn` that a mapping reads and the `grants` to read it."
  value = { for name, table in aws_dynamodb_table.this : name => {
    arn = table.stream_arn
    grants = [{
      Effect    = "Allow"
      Action    = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
      Resource  = ["${table.arn}/stream/*"]
      Condition = {}
    }]
  } if var.tables[name].stream }
}
