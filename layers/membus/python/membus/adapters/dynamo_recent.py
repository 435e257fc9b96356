"""The newest episodes of a user, from the index `by_user` of the table `memory`."""

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.domain.event import Event, RecordedEvent
from membus.domain.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoRecentEvents:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def recent(self, owner: Owner, *, limit: int) -> list[Event]:
        """Return only episodes whose text lies in the item: a fallback does not wait for a second store."""
        with translate_dynamodb_errors("reading recent episodes"):
            answer = self._table.query(
                IndexName="by_user",
                KeyConditionExpression=Key("user_pk").eq(f"T#{owner.tenant}#U#{owner.user}"),
                ScanIndexForward=False,
                Limit=limit,
            )
        whole = (item for item in answer["Items"] if "spilled" not in item)
        return [RecordedEvent.model_validate_json(str(item["body"])).event for item in whole]
