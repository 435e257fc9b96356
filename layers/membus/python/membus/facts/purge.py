"""Purge of single events from facts: their observations, marks and review items go, facts are folded anew."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import user_pk
from membus.aws.dynamodb.table import DynamoTable, Item, read_body, within
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.facts.candidates import ReviewItem
from membus.facts.dynamodb import DynamoFacts
from membus.facts.dynamodb_rebuild import DynamoFactRebuilder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class FactPurger:
    name = "facts"

    def __init__(self, table: "Table", events: Sequence[str]) -> None:
        self._facts, self._rebuilder = DynamoFacts(table), DynamoFactRebuilder(table)
        self._events = frozenset(events)

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed = self._count(owner)
        if removed:
            self._rebuilder.rebuild_facts(
                owner,
                lambda stored: [each for each in stored if each.provenance.event_id not in self._events],
            )
        return ErasureCount({"observations": removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"observations": self._count(owner)})

    def _count(self, owner: Owner) -> int:
        stored = self._facts.list_observations(owner)
        return sum(each.provenance.event_id in self._events for each in stored)


class TracePurger:
    """Removes what waits for review, and what rules have counted."""

    name = "traces"

    def __init__(self, table: "Table", events: Sequence[str]) -> None:
        self._table, self._events = DynamoTable(table), frozenset(events)

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        found = list(self._find(owner))
        self._table.delete_items(found, doing="purging what was made of an event")
        return ErasureCount({"traces": len(found)})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"traces": sum(1 for _ in self._find(owner))})

    def _find(self, owner: Owner) -> Iterator[Item]:
        pk, doing = user_pk(owner), "purging what was made of an event"
        for item in self._table.query(within(pk, "QUAR#"), doing=doing):
            if read_body(item, ReviewItem).observation.provenance.event_id in self._events:
                yield item
        for item in self._table.query(within(pk, "SIGNAL#"), doing=doing, ProjectionExpression="pk, sk"):
            if str(item["sk"]).rpartition("#")[2] in self._events:
                yield item
