"""Fresh words in the table `conversations`: pk `T#<tenant>#U#<user>`, sk `FRESH#<place>`, six hours at most.

Beside them `FRESHNESS`, a stamp that is another one with each word said and goes with each that was read.
They lie beside the messages so that a turn is one transaction in one table; places rise with time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.adapters.conversation_items import fresh_key, said_items, stamp_key
from membus.adapters.dynamo_errors import dynamo_errors
from membus.adapters.dynamo_transactions import transact
from membus.domain.fresh import FRESH_MAX, Fresh
from membus.domain.identity import Owner
from membus.errors import ConflictError, UnavailableError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

SETTLED_AT_ONCE = 50


class DynamoFresh:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def newest(self, owner: Owner) -> list[Fresh]:
        with dynamo_errors("reading what was just said"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(fresh_key(owner, "")["pk"])
                & Key("sk").begins_with("FRESH#"),
                FilterExpression=Attr("expires_at").gt(int(self._clock().timestamp())),
                ScanIndexForward=False,
                Limit=FRESH_MAX,
                ConsistentRead=True,
            )
        return [Fresh.model_validate_json(str(item["body"])) for item in answer["Items"]]

    def stamp(self, owner: Owner) -> str | None:
        with dynamo_errors("reading whether anything was just said"):
            found = self._table.get_item(Key=stamp_key(owner), ConsistentRead=True).get("Item")
        return str(found["stamp"]) if found else None

    def keep(self, said: Mapping[Owner, Sequence[Fresh]]) -> None:
        for owner, words in said.items():
            if words:
                self._write([{"Put": {"Item": item}} for item in said_items(owner, words)])

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        gone = list(dict.fromkeys(places))
        for first in range(0, len(gone), SETTLED_AT_ONCE):
            keys = [
                stamp_key(owner),
                *(fresh_key(owner, each) for each in gone[first : first + SETTLED_AT_ONCE]),
            ]
            self._write([{"Delete": {"Key": key}} for key in keys])

    def _write(self, writes: Sequence[dict[str, dict[str, Any]]]) -> None:
        """Change words and stamp at once, so that no copy of the words outlives them under the stamp they had."""
        named = [
            {kind: {"TableName": self._table.name, **what} for kind, what in each.items()} for each in writes
        ]
        try:
            transact(self._table.meta.client, named, doing="noting what was just said")
        except ConflictError as busy:
            raise UnavailableError("too much is said and learned from at once") from busy
