"""Erasure of a user's own partition, in either table, with the documents and states that it points to."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import user_pk
from membus.aws.dynamodb.table import PAGE_ITEMS, DynamoTable, Item, within
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.episodes.erasure import EventEraser
from membus.search.dynamodb import DOCUMENT_NOTE, document_key
from membus.states.dynamodb import sessions_of_user

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

COUNT_NAMES = {
    "PROFILE": "facts",
    "FACT": "facts",
    "FACTV": "facts",
    "FACTC": "facts",
    "QUAR": "held_facts",
    "SIGNAL": "signals",
    "DOC": "documents",
    "FRESH": "fresh_words",
    "STATE": "state_notes",
}


class UserItemEraser:
    """Items are counted by what their sort keys begin with; `traces` removes the states that they name."""

    def __init__(self, table: "Table", name: str, traces: EventEraser | None = None) -> None:
        self._table, self.name, self._traces = DynamoTable(table), name, traces

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        """A document and a state go before the item that points to them: who is cut off finds them again.

        What the first round has noted for the second, by an `outline`, stays until then.
        """
        removed: Counter[str] = Counter()
        doing = "erasing a user's items"
        pages = self._table.query_pages(
            within(user_pk(owner)),
            doing=doing,
            Limit=PAGE_ITEMS,
            ProjectionExpression="pk, sk",
            **({} if step.settled else {"FilterExpression": Attr("outline").not_exists()}),
        )
        for items in pages:
            notes = (str(item["sk"]) for item in items if str(item["sk"]).startswith(DOCUMENT_NOTE))
            documents = (document_key(owner.tenant, sk.removeprefix(DOCUMENT_NOTE)) for sk in notes)
            self._table.delete_items(documents, doing="erasing documents")
            if self._traces:
                removed["states"] += self._traces.delete_states(sessions_of_user(owner, items))
            self._table.delete_items(items, doing=doing)
            removed.update(_count_by_kind(items))
            if not step.time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        items = self._table.query(
            within(user_pk(owner)), doing="counting a user's items", ProjectionExpression="pk, sk"
        )
        return ErasureCount(dict.fromkeys(COUNT_NAMES.values(), 0) | _count_by_kind(items))


def _count_by_kind(items: Iterable[Item]) -> Counter[str]:
    return Counter(COUNT_NAMES.get(str(item["sk"]).split("#")[0], "items") for item in items)
