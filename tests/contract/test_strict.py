"""tests/strict: what moto and the emulator wrongly accept is refused as AWS refuses it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.strict import strict_aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

NOW = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def bus() -> Iterator[Any]:
    with strict_aws():
        yield boto3.client("events", region_name="us-east-1")


@pytest.fixture
def dynamodb(table: "Table") -> Any:
    """Return a low-level client: values as they travel, nothing checked on this side."""
    return boto3.client("dynamodb", region_name=table.meta.client.meta.region_name)


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": "membus-test-memory", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}} | item}}


def test_a_batch_of_26_writes_is_refused(dynamodb: Any) -> None:
    writes = [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"S": str(n)}}}} for n in range(26)]

    with pytest.raises(ClientError, match="25"):
        dynamodb.batch_write_item(RequestItems={"membus-test-memory": writes})

    dynamodb.batch_write_item(RequestItems={"membus-test-memory": writes[:25]})


@pytest.mark.parametrize("number", ["1" * 39, "-" + "1" * 39, "0." + "1" * 39, "1" * 39 + "e5"])
def test_a_number_of_39_digits_is_refused(dynamodb: Any, number: str) -> None:
    with pytest.raises(ClientError, match="38 significant digits"):
        dynamodb.put_item(**put({"many": {"N": number}})["Put"])


@pytest.mark.parametrize("number", ["1" * 38, "1" + "0" * 60, "1.5e10"])
def test_a_number_of_38_digits_passes(dynamodb: Any, number: str) -> None:
    dynamodb.put_item(**put({"many": {"N": number}})["Put"])


@pytest.mark.parametrize("name", ["t", "ab", "a/b", "é" * 5])
def test_a_table_name_that_aws_would_not_take_is_refused(dynamodb: Any, name: str) -> None:
    with pytest.raises(ClientError):
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def test_a_lone_surrogate_is_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="SerializationException"):
        dynamodb.put_item(**put({"text": {"S": "\ud800"}})["Put"])


def test_an_item_above_400_kb_is_refused(table: "Table") -> None:
    with pytest.raises(ClientError, match="Item size"):
        table.put_item(Item={"pk": "a", "sk": "b", "text": "x" * 400 * 1024})


def test_an_item_that_grows_above_400_kb_is_refused(table: "Table") -> None:
    table.put_item(Item={"pk": "a", "sk": "b", "text": "x" * 390_000})

    with pytest.raises(ClientError, match="size"):
        table.update_item(
            Key={"pk": "a", "sk": "b"},
            UpdateExpression="SET more = :more",
            ExpressionAttributeValues={":more": "x" * 30_000},
        )


@pytest.mark.parametrize(
    "key", [{"pk": "p" * 2049, "sk": "s"}, {"pk": "p", "sk": "s" * 1025}, {"pk": "", "sk": "s"}]
)
def test_a_key_that_is_empty_or_too_long_is_refused(table: "Table", key: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        table.put_item(Item=key)


def test_a_transaction_of_101_writes_is_refused(dynamodb: Any) -> None:
    writes = [put({"sk": {"S": str(n)}}) for n in range(101)]

    with pytest.raises(ClientError, match="100"):
        dynamodb.transact_write_items(TransactItems=writes)

    dynamodb.transact_write_items(TransactItems=writes[:100])


def test_a_transaction_above_4_mb_is_refused(dynamodb: Any) -> None:
    writes = [put({"sk": {"S": str(n)}, "text": {"S": "x" * 390_000}}) for n in range(11)]

    with pytest.raises(ClientError, match="4 MB"):
        dynamodb.transact_write_items(TransactItems=writes)


def test_the_same_item_twice_in_one_transaction_is_refused(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="one item"):
        dynamodb.transact_write_items(TransactItems=[put({}), put({"text": {"S": "again"}})])


def test_a_repeated_transaction_token_is_applied_once(dynamodb: Any, table: "Table") -> None:
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    count: Any = {
        "TableName": table.name,
        "Key": key,
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }

    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Update": count}], ClientRequestToken="once")
    with pytest.raises(ClientError, match="IdempotentParameterMismatch"):
        dynamodb.transact_write_items(TransactItems=[put({})], ClientRequestToken="once")

    assert table.get_item(Key={"pk": "a", "sk": "b"})["Item"]["n"] == 1


@pytest.mark.parametrize("moment", [NOW * 1000, "2026-03-01T00:00:00Z", str(NOW), 0, 20_500])
def test_an_expiry_that_is_no_epoch_second_is_refused(table: "Table", moment: Any) -> None:
    with pytest.raises(ClientError, match="epoch seconds"):
        table.put_item(Item={"pk": "a", "sk": "b", "expires_at": moment})
    with pytest.raises(ClientError, match="epoch seconds"):
        table.update_item(
            Key={"pk": "a", "sk": "b"},
            UpdateExpression="ADD n :one SET #when = :when",
            ExpressionAttributeNames={"#when": "expires_at"},
            ExpressionAttributeValues={":one": 1, ":when": moment},
        )


def test_an_expiry_in_epoch_seconds_passes(table: "Table") -> None:
    table.put_item(Item={"pk": "a", "sk": "b", "expires_at": NOW})


def entry(**fields: Any) -> dict[str, Any]:
    return {"Source": "membus.events", "DetailType": "message.sent", "Detail": "{}"} | fields


def test_eleven_entries_are_refused(bus: Any) -> None:
    with pytest.raises(ClientError, match="10"):
        bus.put_events(Entries=[entry()] * 11)


def test_a_call_above_one_megabyte_is_refused(bus: Any) -> None:
    big = entry(Detail=json.dumps({"text": "x" * 260_000}))

    with pytest.raises(ClientError, match="over the limit"):
        bus.put_events(Entries=[big] * 5)

    assert bus.put_events(Entries=[big] * 3)["FailedEntryCount"] == 0


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (entry(Source="aws.s3"), "NotAuthorizedForSourceException"),
        (entry(Detail="{"), "MalformedDetail"),
        (entry(Detail="[]"), "MalformedDetail"),
    ],
)
def test_a_bad_entry_fails_alone_and_in_its_place(bus: Any, bad: dict[str, Any], code: str) -> None:
    answer = bus.put_events(Entries=[entry(), bad, entry()])

    assert answer["FailedEntryCount"] == 1
    assert [each.get("ErrorCode") for each in answer["Entries"]] == [None, code, None]
    assert bus.put_events(Entries=[bad])["Entries"][0]["ErrorCode"] == code


def test_a_message_above_256_kb_with_its_attributes_is_refused() -> None:
    with strict_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="membus-test-quarantine")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="x" * 262_144)

        with pytest.raises(ClientError, match="shorter than 262144"):
            sqs.send_message(QueueUrl=url, MessageBody="x" * 262_145)
        reason: Any = {"reason": {"DataType": "String", "StringValue": "late"}}
        with pytest.raises(ClientError, match="shorter than 262144"):
            sqs.send_message(QueueUrl=url, MessageBody="x" * 262_140, MessageAttributes=reason)


def test_an_entry_that_no_queue_takes_is_refused(bus: Any) -> None:
    entry = {"Source": "a", "DetailType": "b", "Detail": json.dumps({"text": "x" * 262_000})}

    assert bus.put_events(Entries=[entry])["FailedEntryCount"] == 1
