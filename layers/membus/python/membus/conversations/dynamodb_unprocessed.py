"""Fresh words in the table `conversations`: pk `T#<tenant>#U#<user>`, sk `FRESH#<place>`, six hours at most.

Beside them `FRESHNESS`, a stamp that is another one with each word said and goes with each that was read.
They lie beside the messages so that a turn is one transaction in one table; places rise with time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.conversations.dynamodb_items import unprocessed_items, unprocessed_key, version_token_key
from membus.conversations.unprocessed_messages import UNPROCESSED_MAX, UnprocessedMessage
from membus.core.clock import Clock
from membus.core.errors import ConflictError, UnavailableError
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

DELETES_PER_TRANSACTION = 50


class DynamoUnprocessedMessages:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        with translate_dynamodb_errors("reading what was just said"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(unprocessed_key(owner, "")["pk"])
                & Key("sk").begins_with("FRESH#"),
                FilterExpression=Attr("expires_at").gt(int(self._clock().timestamp())),
                ScanIndexForward=False,
                Limit=UNPROCESSED_MAX,
                ConsistentRead=True,
            )
        return [UnprocessedMessage.model_validate_json(str(item["body"])) for item in answer["Items"]]

    def get_version_token(self, owner: Owner) -> str | None:
        with translate_dynamodb_errors("reading whether anything was just said"):
            found = self._table.get_item(Key=version_token_key(owner), ConsistentRead=True).get("Item")
        return str(found["stamp"]) if found else None

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        for owner, words in said.items():
            if words:
                self._write([{"Put": {"Item": item}} for item in unprocessed_items(owner, words)])

    def mark_processed(self, owner: Owner, places: Iterable[str]) -> None:
        gone = list(dict.fromkeys(places))
        for first in range(0, len(gone), DELETES_PER_TRANSACTION):
            keys = [
                version_token_key(owner),
                *(unprocessed_key(owner, each) for each in gone[first : first + DELETES_PER_TRANSACTION]),
            ]
            self._write([{"Delete": {"Key": key}} for key in keys])

    def _write(self, writes: Sequence[dict[str, dict[str, Any]]]) -> None:
        """Change words and stamp at once, so that no copy of the words outlives them under the stamp they had."""
        named = [
            {kind: {"TableName": self._table.name, **what} for kind, what in each.items()} for each in writes
        ]
        try:
            write_transaction(self._table.meta.client, named, doing="noting what was just said")
        except ConflictError as busy:
            raise UnavailableError("too much is said and learned from at once") from busy
