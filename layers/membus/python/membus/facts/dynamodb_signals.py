"""Signals of behaviour in DynamoDB: `SIGNAL#<name>#<group>#<occurred ms>#<event id>` in the user's partition.

A group is what a payload says, so it stands in the key as a digest: no text of a producer's forges another's
key.
"""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.keys import user_pk
from membus.aws.dynamodb.table import DynamoTable, put_item, within
from membus.core.clock import epoch_ms
from membus.core.identity import Owner
from membus.facts.rules import Signal, SignalMark

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

END_OF_WINDOW = timedelta(milliseconds=1)  # sorts behind every event of the window's last millisecond
COUNTING = "counting behaviour"


class DynamoSignals:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def add_signal(self, owner: Owner, signal: Signal) -> set[SignalMark]:
        sk = _sk(signal, timedelta(), signal.mark.event_id)
        item = {
            "pk": user_pk(owner),
            "sk": sk,
            "expires_at": int(signal.expires_at.timestamp()),
            "mark": str(signal.mark),
        }
        self._table.write(put_item(item), doing=COUNTING)
        low, high = _sk(signal, -signal.window_span), _sk(signal, signal.window_span + END_OF_WINDOW)
        reach = signal.neighbour_limit
        if reach is None:
            return self._marks_between(owner, low, high, signal, limit=None)
        # One query from the latest backwards: events mostly arrive in order, few are later than the new one.
        newest = self._marks_between(owner, low, high, signal, limit=2 * reach + 1)
        moment = epoch_ms(signal.mark.occurred_at)
        if sum(epoch_ms(mark.occurred_at) >= moment for mark in newest) <= reach:
            return newest
        earlier = self._marks_between(owner, low, sk, signal, limit=reach + 1)
        return earlier | self._marks_between(owner, sk, high, signal, limit=reach + 1, forward=True)

    def _marks_between(
        self, owner: Owner, low: str, high: str, signal: Signal, *, limit: int | None, forward: bool = False
    ) -> set[SignalMark]:
        """Return the marks between two keys, at most `limit`; what has expired by now does not count."""
        between = within(user_pk(owner)) & Key("sk").between(low, high)
        options: dict[str, Any] = {"doing": COUNTING, "ScanIndexForward": forward}
        items = (
            self._table.query_page(between, limit=limit, **options).items
            if limit
            else self._table.query(between, **options)
        )
        now = signal.mark.learned_at.timestamp()
        return {SignalMark.parse(str(near["mark"])) for near in items if int(near["expires_at"]) > now}


def _sk(signal: Signal, offset: timedelta, event_id: str = "") -> str:
    moment = f"{epoch_ms(signal.mark.occurred_at + offset):014d}"
    group = hashlib.sha256(signal.group.encode()).hexdigest()[:16]
    return f"SIGNAL#{signal.rule_group.name}#{group}#{moment}" + (f"#{event_id}" if event_id else "")
