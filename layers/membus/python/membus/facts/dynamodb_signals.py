"""Traces of behaviour in DynamoDB.

Pk `T#<tenant>#U#<user>`, sk `SIGNAL#<trail>#<group>#<occurred ms>#<event id>`.

A group is what a payload says, so it stands in the key as a digest: no text of a producer's forges another's
key.
"""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.clock import epoch_ms
from membus.core.identity import Owner
from membus.facts.rules import Signal, SignalMark

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

END_OF_WINDOW = timedelta(milliseconds=1)  # sorts behind every event of the window's last millisecond


class DynamoSignals:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add_signal(self, owner: Owner, signal: Signal) -> set[SignalMark]:
        item: dict[str, Any] = {
            "pk": f"T#{owner.tenant}#U#{owner.user}",
            "sk": _sk(signal, timedelta(), signal.mark.event_id),
            "expires_at": int(signal.expires_at.timestamp()),
            "mark": str(signal.mark),
        }
        with translate_dynamodb_errors("counting behaviour"):
            self._table.put_item(Item=item)
        low, high = _sk(signal, -signal.window_span), _sk(signal, signal.window_span + END_OF_WINDOW)
        if signal.neighbour_limit is None:
            return self._near(item, low, high, signal, limit=None)
        return self._nearest(item, low, high, signal, reach=signal.neighbour_limit)

    def _nearest(
        self, item: dict[str, Any], low: str, high: str, signal: Signal, *, reach: int
    ) -> set[SignalMark]:
        """Ask once, from the latest backwards.

        Events mostly arrive in order, and few lie behind the new one.
        """
        newest = self._near(item, low, high, signal, limit=2 * reach + 1)
        moment = epoch_ms(signal.mark.occurred_at)
        later = sum(epoch_ms(mark.occurred_at) >= moment for mark in newest)
        if later <= reach:
            return newest
        earlier = self._near(item, low, str(item["sk"]), signal, limit=reach + 1)
        return earlier | self._near(item, str(item["sk"]), high, signal, limit=reach + 1, forward=True)

    def _near(
        self,
        item: dict[str, Any],
        low: str,
        high: str,
        signal: Signal,
        *,
        limit: int | None,
        forward: bool = False,
    ) -> set[SignalMark]:
        """Return the marks between two keys, at most `limit`; what has expired by now does not count."""
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(item["pk"]) & Key("sk").between(low, high),
            "ScanIndexForward": forward,
            "ConsistentRead": True,
        } | ({"Limit": limit} if limit else {})
        items: list[dict[str, Any]] = []
        while True:
            with translate_dynamodb_errors("counting behaviour"):
                answer = self._table.query(**query)
            items += answer["Items"]
            if limit or "LastEvaluatedKey" not in answer:
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        now = signal.mark.learned_at.timestamp()
        return {SignalMark.parse(str(near["mark"])) for near in items if int(near["expires_at"]) > now}


def _sk(signal: Signal, offset: timedelta, event_id: str = "") -> str:
    moment = f"{epoch_ms(signal.mark.occurred_at + offset):014d}"
    group = hashlib.sha256(signal.group.encode()).hexdigest()[:16]
    return f"SIGNAL#{signal.trail.name}#{group}#{moment}" + (f"#{event_id}" if event_id else "")
