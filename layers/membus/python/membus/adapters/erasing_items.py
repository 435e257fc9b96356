"""A user's own partition, of the table `memory` or of `conversations`, with the documents that it points to."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.adapters.dynamo_documents import document_key
from membus.adapters.dynamo_removal import pages, remove
from membus.domain.identity import Owner
from membus.ports.erasures import Tally

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

NAMES = {
    "PROFILE": "facts", "FACT": "facts", "FACTV": "facts", "FACTC": "facts", "QUAR": "held_facts", "SIGNAL": "signals",
    "DOC": "documents", "FRESH": "fresh_words",
}  # fmt: skip


class UserItems:
    """What a partition holds is counted by what its sort keys begin with."""

    def __init__(self, table: "Table", name: str) -> None:
        self._table, self.name = table, name

    def erase(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool) -> Tally:  # noqa: ARG002
        """A document goes before the item that points to it: who is cut off finds it again.

        What the first round has noted for the second, by an `outline`, stays until then.
        """
        removed: Counter[str] = Counter()
        query = _query(owner) | ({} if settled else {"FilterExpression": Attr("outline").not_exists()})
        for items in pages(self._table, query, doing="erasing a user's items"):
            remove(self._table, _documents(owner, items), doing="erasing documents")
            remove(self._table, items, doing="erasing a user's items")
            removed.update(_counted(items))
            if not time_left():
                return Tally(removed, "more")
        return Tally(removed)

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> Tally:  # noqa: ARG002
        found: Counter[str] = Counter()
        for items in pages(self._table, _query(owner), doing="counting a user's items", limit=1000):
            found.update(_counted(items))
        return Tally(found)


def _query(owner: Owner) -> dict[str, Any]:
    pk = f"T#{owner.tenant}#U#{owner.user}"
    return {"KeyConditionExpression": Key("pk").eq(pk), "ProjectionExpression": "pk, sk", "ConsistentRead": True}


def _documents(owner: Owner, items: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    ids = (str(item["sk"]).removeprefix("DOC#") for item in items if str(item["sk"]).startswith("DOC#"))
    return [document_key(owner.tenant, memory_id) for memory_id in ids]


def _counted(items: list[dict[str, Any]]) -> Counter[str]:
    return Counter(NAMES.get(str(item["sk"]).split("#")[0], "items") for item in items)
