"""Traces of behaviour in DynamoDB: pk `T#<tenant>#U#<user>`, sk `SIGNAL#<rule>#<group>#<occurred ms>#<event id>`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.event import epoch_ms
from membus.domain.identity import Owner
from membus.domain.rules import Mark, Signal

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFETIME = timedelta(days=7)
"""Longer than a message can wait in a queue or a replay takes; a mark that arrives later starts anew."""


class DynamoSignals:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, owner: Owner, signal: Signal) -> set[Mark]:
        item: dict[str, Any] = {
            "pk": f"T#{owner.tenant}#U#{owner.user}",
            "sk": _sk(signal, timedelta(), signal.mark.event_id),
            "expires_at": int((signal.mark.learned_at + LIFETIME).timestamp()),
            "mark": str(signal.mark),
        }
        with dynamo_errors("counting behaviour"):
            self._table.put_item(Item=item)
        earlier = self._near(item, _sk(signal, -signal.rule.within), str(item["sk"]), signal, forward=False)
        after_all = timedelta(milliseconds=1)  # sorts behind every event of the window's last millisecond
        later = self._near(item, str(item["sk"]), _sk(signal, signal.rule.within + after_all), signal, forward=True)
        return earlier | later

    def _near(self, item: dict[str, Any], low: str, high: str, signal: Signal, *, forward: bool) -> set[Mark]:
        """Return the mark itself and its nearest neighbours on one side; what has expired by now does not count."""
        with dynamo_errors("counting behaviour"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(item["pk"]) & Key("sk").between(low, high),
                ScanIndexForward=forward,
                Limit=signal.rule.count,
                ConsistentRead=True,
            )
        now = signal.mark.learned_at.timestamp()
        return {Mark.parse(str(near["mark"])) for near in answer["Items"] if int(str(near["expires_at"])) > now}


def _sk(signal: Signal, offset: timedelta, event_id: str = "") -> str:
    moment = f"{epoch_ms(signal.mark.occurred_at + offset):014d}"
    return f"SIGNAL#{signal.rule.name}#{signal.group}#{moment}" + (f"#{event_id}" if event_id else "")
