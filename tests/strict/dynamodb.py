"""DynamoDB's limits, read off the request as it would leave this machine."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.strict.refusal import Refusal, invalid
from tests.support.tables import TABLES

BATCH_MAX = 25
TRANSACTION_MAX = 100
TRANSACTION_BYTES_MAX = 4 * 1024 * 1024
ITEM_BYTES_MAX = 400 * 1024
NUMBER_DIGITS_MAX = 38
EPOCH_SECONDS = range(946_684_800, 4_102_444_800)
"""The years 2000 to 2100: milliseconds lie far above, a number of days far below."""
TTL_ATTRIBUTES = {layout["ttl"] for layout in TABLES.values()}
_ASSIGNMENT = re.compile(r"([#\w]+)\s*=\s*(:\w+)")

Body = dict[str, Any]
Value = dict[str, Any]


class DynamoLimits:
    """Remembers the tokens of transactions: a repeated one is applied once, as for ten minutes in AWS."""

    def __init__(self) -> None:
        self._applied: dict[str, str] = {}

    def check(self, operation: str, body: Body) -> dict[str, Any] | None:
        """Return an answer that needs no emulator, or None; raise Refusal where DynamoDB refuses."""
        _check_text(body)
        _check_names(body)
        for put in _puts(body):
            _check_item(put)
        for update in _updates(body):
            _check_expiry(update)
        if operation == "BatchWriteItem" and sum(map(len, body["RequestItems"].values())) > BATCH_MAX:
            raise invalid("Member must have length less than or equal to 25")
        if operation == "TransactWriteItems":
            _check_transaction(body["TransactItems"])
            return self._repeated(body)
        return None

    def _repeated(self, body: Body) -> dict[str, Any] | None:
        token = body.get("ClientRequestToken")
        if not token:
            return None
        request = json.dumps(body, sort_keys=True)
        if token not in self._applied:
            self._applied[token] = request
            return None
        if self._applied[token] != request:
            raise Refusal(
                "IdempotentParameterMismatchException", "the token was used for another transaction"
            )
        return {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}}


def item_bytes(item: dict[str, Value]) -> int:
    """Return about what an item weighs: UTF-8 names and values, two digits of a number to a byte."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Value) -> int:
    kind, content = next(iter(value.items()))
    match kind:
        case "S" | "B":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "SS" | "NS" | "BS":
            return sum(len(member.encode()) for member in content)
        case "L":
            return 3 + sum(1 + _value_bytes(member) for member in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case _:
            return 1


def _check_text(body: Body) -> None:
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refusal("SerializationException", "a lone surrogate is not UTF-8") from error
    for value in _numbers(body):
        if len(re.sub(r"e.*|[^0-9]", "", value.lower()).strip("0")) > NUMBER_DIGITS_MAX:
            raise invalid("Attempting to store more than 38 significant digits in a Number")


def _numbers(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if set(node) == {"N"} and isinstance(node["N"], str):
            yield node["N"]
        for member in node.values():
            yield from _numbers(member)
    elif isinstance(node, list):
        for member in node:
            yield from _numbers(member)


def _check_names(body: Body) -> None:
    name = body.get("TableName")
    if (
        isinstance(name, str)
        and not name.startswith("arn:")
        and not re.fullmatch(r"[\w.-]{3,255}", name, re.ASCII)
    ):
        raise invalid("TableName must be at least 3 characters long and at most 255 characters long")


def _puts(body: Body) -> Iterator[dict[str, Value]]:
    if "Item" in body:
        yield body["Item"]
    for write in body.get("TransactItems", []):
        yield from ([write["Put"]["Item"]] if "Put" in write else [])
    requests = body.get("RequestItems", {}).values()
    for write in (write for writes in requests if isinstance(writes, list) for write in writes):
        yield from ([write["PutRequest"]["Item"]] if "PutRequest" in write else [])


def _check_item(item: dict[str, Value]) -> None:
    if item_bytes(item) > ITEM_BYTES_MAX:
        raise invalid("Item size has exceeded the maximum allowed size")
    for name in TTL_ATTRIBUTES & set(item):
        _check_moment(name, item[name])


def _updates(body: Body) -> Iterator[Body]:
    if "UpdateExpression" in body:
        yield body
    yield from (write["Update"] for write in body.get("TransactItems", []) if "Update" in write)


def _check_expiry(update: Body) -> None:
    names: dict[str, str] = update.get("ExpressionAttributeNames", {})
    for name, placeholder in _ASSIGNMENT.findall(update["UpdateExpression"]):
        attribute = names.get(name, name)
        if attribute in TTL_ATTRIBUTES:
            _check_moment(attribute, update["ExpressionAttributeValues"][placeholder])


def _check_moment(name: str, value: Value) -> None:
    """DynamoDB itself takes anything here, and then silently never deletes the item, or deletes it at once."""
    if "N" not in value or not value["N"].isdecimal() or int(value["N"]) not in EPOCH_SECONDS:
        raise invalid(f"{name} must be epoch seconds, not {value}")


def _check_transaction(writes: list[Body]) -> None:
    if len(writes) > TRANSACTION_MAX:
        raise invalid("Member must have length less than or equal to 100")
    if sum(item_bytes(item) for item in _puts({"TransactItems": writes})) > TRANSACTION_BYTES_MAX:
        raise invalid("Transaction request cannot exceed 4 MB")
    targets = [json.dumps(_target(action), sort_keys=True) for write in writes for action in write.values()]
    if len(set(targets)) < len(targets):
        raise invalid("Transaction request cannot include multiple operations on one item")


def _target(action: Body) -> list[Any]:
    keys = next(layout["keys"] for name, layout in TABLES.items() if action["TableName"].endswith(name))
    item = action.get("Key") or action["Item"]
    return [action["TableName"], [item.get(key) for key in keys]]
