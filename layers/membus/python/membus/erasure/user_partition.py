"""A user's own partition, of the table `memory` or of `conversations`, with the documents that it points to."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.aws.dynamodb.batches import query_pages, remove_items
from membus.core.erasure import ErasureCount
from membus.core.identity import Owner
from membus.episodes.erasure import EventEraser
from membus.search.dynamodb import document_key
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
    """What a partition holds is counted by what its sort keys begin with.

    `traces` removes the states that it names.
    """

    def __init__(self, table: "Table", name: str, traces: EventEraser | None = None) -> None:
        self._table, self.name, self._traces = table, name, traces

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        """A document and a state go before the item that points to them: who is cut off finds them again.

        What the first round has noted for the second, by an `outline`, stays until then.
        """
        removed: Counter[str] = Counter()
        query = _partition_query(owner) | (
            {} if settled else {"FilterExpression": Attr("outline").not_exists()}
        )
        for items in query_pages(self._table, query, doing="erasing a user's items"):
            remove_items(self._table, _documents(owner, items), doing="erasing documents")
            if self._traces:
                removed["states"] += self._traces.delete_states(sessions_of_user(owner, items))
            remove_items(self._table, items, doing="erasing a user's items")
            removed.update(_counted(items))
            if not time_left():
                return ErasureCount(removed, "more")
        return ErasureCount(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
        found: Counter[str] = Counter()
        for items in query_pages(
            self._table, _partition_query(owner), doing="counting a user's items", limit=1000
        ):
            found.update(_counted(items))
        return ErasureCount(found)


def _partition_query(owner: Owner) -> dict[str, Any]:
    pk = f"T#{owner.tenant}#U#{owner.user}"
    return {
        "KeyConditionExpression": Key("pk").eq(pk),
        "ProjectionExpression": "pk, sk",
        "ConsistentRead": True,
    }


def _documents(owner: Owner, items: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    ids = (str(item["sk"]).removeprefix("DOC#") for item in items if str(item["sk"]).startswith("DOC#"))
    return [document_key(owner.tenant, memory_id) for memory_id in ids]


def _counted(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(COUNT_NAMES.get(str(item["sk"]).split("#")[0], "items") for item in items)
