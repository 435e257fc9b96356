"""Held facts in DynamoDB: pk `T#<tenant>#U#<user>`, sk `QUAR#<id>`.

What waits expires, what is decided stays.

A rejected one keeps its key and the decision alone.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.aws.dynamodb.errors import conflicting_item, translate_dynamodb_errors
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.facts.candidates import ReviewItem

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoReviewQueue:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def add_items(self, owner: Owner, held: Iterable[ReviewItem]) -> None:
        for each in held:
            item: dict[str, Any] = {
                **_key(owner, each.quarantine_id),
                "decision": each.decision,
                "expires_at": int(each.expires_at.timestamp()),
                "body": each.model_dump_json(),
            }
            with suppress(ConflictError), translate_dynamodb_errors("holding a fact"):
                self._table.put_item(Item=item, ConditionExpression="attribute_not_exists(pk)")

    def list_items(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        start: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
        with translate_dynamodb_errors("listing held facts"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(_key(owner, "")["pk"]) & Key("sk").begins_with("QUAR#"),
                FilterExpression=Attr("decision").eq("waiting") & Attr("expires_at").gt(self._now()),
                ConsistentRead=True,
                Limit=limit,
                **start,
            )
        last = answer.get("LastEvaluatedKey")
        items = tuple(ReviewItem.model_validate_json(str(item["body"])) for item in answer["Items"])
        return Page(items, {name: str(value) for name, value in last.items()} if last else None)

    def approve_item(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        item = self._decide(owner, quarantine_id, "approved", "SET decision = :decision REMOVE expires_at")
        return ReviewItem.model_validate_json(str(item["body"])).model_copy(update={"decision": "approved"})

    def reject_item(self, owner: Owner, quarantine_id: str) -> None:
        self._decide(owner, quarantine_id, "rejected", "SET decision = :decision REMOVE expires_at, body")

    def _decide(self, owner: Owner, quarantine_id: str, decision: str, update: str) -> dict[str, Any]:
        try:
            with translate_dynamodb_errors("deciding on a held fact"):
                return self._table.update_item(
                    Key=_key(owner, quarantine_id),
                    UpdateExpression=update,
                    ReturnValues="ALL_NEW",
                    ConditionExpression="decision = :decision OR (decision = :waiting AND expires_at > :now)",
                    ExpressionAttributeValues={
                        ":decision": decision,
                        ":waiting": "waiting",
                        ":now": self._now(),
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )["Attributes"]
        except ConflictError as lost:
            item = conflicting_item(lost)
            if item is None or item["decision"] == "waiting":
                raise NotFoundError("nothing is held under this id") from lost
            raise ConflictError(f"this was {item['decision']} before", code="decided") from lost

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _key(owner: Owner, quarantine_id: str) -> dict[str, str]:
    return {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": f"QUAR#{quarantine_id}"}
