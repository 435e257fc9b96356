"""The stores as Terraform makes them, for emulators in this process.

A test compares the tables with its text.
"""

from typing import TYPE_CHECKING, Any

import boto3

from membus.aws.s3 import S3Blobs

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Layout = dict[str, Any]
BUCKET = "membus-test-archive"

TABLES: dict[str, Layout] = {
    "memory": {
        "keys": ("pk", "sk"),
        "ttl": "expires_at",
        "indexes": {
            "by_user": ("user_pk", "user_sk", "ALL"),
            "unarchived": ("unarchived", "pk", "KEYS_ONLY"),
        },
    },
    "conversations": {
        "keys": ("pk", "sk"),
        "ttl": "expires_at",
        "indexes": {"by_status": ("status_pk", "status_sk", "KEYS_ONLY")},
    },
    "tenants": {"keys": ("pk", "sk"), "ttl": "expires_at", "indexes": {}},
    "idempotency": {"keys": ("id",), "ttl": "expiration", "indexes": {}},
}


def make_table(logical_name: str) -> "Table":
    """Create `membus-test-<logical name>` in the emulator of this process."""
    layout = TABLES[logical_name]
    indexes = layout["indexes"]
    attributes = {*layout["keys"], *(key for index in indexes.values() for key in index[:2])}
    make: Any = boto3.resource("dynamodb", region_name="us-east-1").create_table
    table: Table = make(
        TableName=f"membus-test-{logical_name}",
        KeySchema=_schema(layout["keys"]),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
        BillingMode="PAY_PER_REQUEST",
        **(
            {"GlobalSecondaryIndexes": [_index(name, *parts) for name, parts in indexes.items()]}
            if indexes
            else {}
        ),
    )
    return table


def make_bucket() -> S3Blobs:
    """Create the bucket of large texts in the emulator of this process."""
    client = boto3.client("s3", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    return S3Blobs(lambda: client, BUCKET)


def _schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


def _index(name: str, hash_key: str, range_key: str, projection: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": _schema((hash_key, range_key)),
        "Projection": {"ProjectionType": projection},
    }
