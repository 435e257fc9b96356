"""One event by its id, from its identity and its episode; `episode_items` says how they lie."""

from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.episode_items import identity_key
from membus.domain.event import RecordedEvent
from membus.domain.explaining import EventTrace, ReadingCost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoEventTraces:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def trace(self, tenant: str, event_id: str) -> EventTrace | None:
        identity = self._item(identity_key(tenant, event_id))
        if identity is None:
            return None
        where = {"pk": identity.get("episode_pk", ""), "sk": identity.get("episode_sk", "")}
        episode = self._item(where) if where["pk"] else None
        share = identity.get("took")
        return EventTrace(
            event=RecordedEvent.model_validate_json(str(episode["body"])).event
            if episode and "body" in episode
            else None,
            extracted=identity.get("extracted"),
            share=ReadingCost.model_validate_json(str(share)) if share else None,
        )

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        with translate_dynamodb_errors("reading an event"):
            found: dict[str, Any] | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found
