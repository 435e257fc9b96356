"""Fresh words in the table `conversations`: pk `T#<tenant>#U#<user>`, sk `FRESH#<place>`, six hours at most.

They lie beside the messages so that a turn is one transaction in one table; places rise with time.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr, Key

from membus.adapters.conversation_items import fresh_item, fresh_key
from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.fresh import FRESH_MAX, Fresh
from membus.domain.identity import Owner
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoFresh:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def newest(self, owner: Owner) -> list[Fresh]:
        with dynamo_errors("reading what was just said"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(fresh_key(owner, "")["pk"]) & Key("sk").begins_with("FRESH#"),
                FilterExpression=Attr("expires_at").gt(int(self._clock().timestamp())),
                ScanIndexForward=False, Limit=FRESH_MAX, ConsistentRead=True,
            )  # fmt: skip
        return [Fresh.model_validate_json(str(item["body"])) for item in answer["Items"]]

    def keep(self, said: Mapping[Owner, Sequence[Fresh]]) -> None:
        for owner, words in said.items():
            for each in words:
                with dynamo_errors("keeping what was just said"):
                    self._table.put_item(Item=fresh_item(owner, each))

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        for place in places:
            with dynamo_errors("letting go of what was just said"):
                self._table.delete_item(Key=fresh_key(owner, place))
