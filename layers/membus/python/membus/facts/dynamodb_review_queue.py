"""The review queue of facts in DynamoDB: `QUAR#<id>` in the user's partition.

An item that waits expires, one that is decided stays; of a rejected one only its key and the decision stay.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.errors import conflicting_item
from membus.aws.dynamodb.keys import ItemKey, user_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, Item, put_item, read_body, update_item, within
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.facts.candidates import ReviewItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

REVIEW_PREFIX = "QUAR#"


class DynamoReviewQueue:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def add_items(self, owner: Owner, items: Iterable[ReviewItem]) -> None:
        for each in items:
            if any(self._is_rejected(owner, former) for former in each.former_ids):
                continue
            item = {
                **_key(owner, each.quarantine_id),
                "decision": each.decision,
                "expires_at": int(each.expires_at.timestamp()),
                "body": each.model_dump_json(),
            }
            with suppress(ConflictError):
                self._table.write(put_item(item, ABSENT), doing="holding a fact")

    def _is_rejected(self, owner: Owner, quarantine_id: str) -> bool:
        found = self._table.get(_key(owner, quarantine_id), doing="looking up a former decision")
        return found is not None and found["decision"] == "rejected"

    def list_items(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        found = self._table.query_page(
            within(user_pk(owner), REVIEW_PREFIX),
            doing="listing facts to review",
            limit=limit,
            after=after,
            FilterExpression=Attr("decision").eq("waiting") & Attr("expires_at").gt(self._now()),
        )
        return found.map(lambda item: read_body(item, ReviewItem))

    def approve_item(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        item = self._decide(owner, quarantine_id, "approved", "SET decision = :decision REMOVE expires_at")
        return read_body(item, ReviewItem).model_copy(update={"decision": "approved"})

    def reject_item(self, owner: Owner, quarantine_id: str) -> None:
        self._decide(owner, quarantine_id, "rejected", "SET decision = :decision REMOVE expires_at, body")

    def _decide(self, owner: Owner, quarantine_id: str, decision: str, expression: str) -> Item:
        update = update_item(
            _key(owner, quarantine_id),
            expression,
            "decision = :decision OR (decision = :waiting AND expires_at > :now)",
            {":decision": decision, ":waiting": "waiting", ":now": self._now()},
        )
        try:
            return self._table.write(update, doing="deciding on a fact to review", returns="ALL_NEW")
        except ConflictError as lost:
            item = conflicting_item(lost)
            if item is None or item["decision"] == "waiting":
                raise NotFoundError("nothing waits for review under this id") from lost
            raise ConflictError(f"this was {item['decision']} before", code="decided") from lost

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _key(owner: Owner, quarantine_id: str) -> ItemKey:
    return {"pk": user_pk(owner), "sk": f"{REVIEW_PREFIX}{quarantine_id}"}
