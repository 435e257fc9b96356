locals {
  verbs = {
    get    = ["dynamodb:GetItem"]
    read   = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
    write  = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"]
    delete = ["dynamodb:DeleteItem"]
  }

  # Scan and PartiQL are in no verb: they carry no leading key, and `ForAllValues` permits a request without one.
  leading_key_conditions = { for name, table in var.tables : name => {
    for collection, keys in table.collections : collection => merge(
      length(keys.keys) == 0 ? {} : { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = keys.keys } },
      length(keys.except) == 0 ? {} : { "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = keys.except } },
    )
  } }

  # An index has a partition key of its own, hence a statement of its own.
  index_statements = { for name, table in var.tables : name => {
    for collection, keys in table.collections : collection => [for index, patterns in keys.indexes : {
      Effect    = "Allow"
      Action    = ["dynamodb:Query"]
      Resource  = ["${aws_dynamodb_table.this[name].arn}/index/${index}"]
      Condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = patterns } }
    }]
  } }
}

output "names" {
  description = "Table names by logical name, for a function's environment."
  value       = { for name, table in aws_dynamodb_table.this : name => table.name }
}

output "grants" {
  description = "IAM statements by table, collection and verb (`get`, `read`, `write`, `delete`)."
  value = { for name, table in var.tables : name => {
    for collection in keys(table.collections) : collection => {
      for verb, actions in local.verbs : verb => concat(
        [{
          Effect    = "Allow"
          Action    = actions
          Resource  = [aws_dynamodb_table.this[name].arn]
          Condition = local.leading_key_conditions[name][collection]
        }],
        [for statement in local.index_statements[name][collection] : statement if verb == "read"],
      )
    }
  } }
}

output "streams" {
  description = "Streams by table: the `arn` for an event-source mapping, and the `grants` to read it."
  value = { for name, table in aws_dynamodb_table.this : name => {
    arn = table.stream_arn
    grants = [{
      Effect = "Allow"
      Action = [
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
      ]
      Resource  = ["${table.arn}/stream/*"]
      Condition = {}
    }]
  } if var.tables[name].stream }
}
