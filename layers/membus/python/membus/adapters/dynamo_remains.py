"""What is left of deleted conversations in DynamoDB.

Every item beside `META`, and the large text it points to.

Any item of a conversation may name a key of the content store in `spilled`. The text goes first: an item that
is left behind says where to go on, a text that is left behind says nothing.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters import conversation_items as items
from membus.adapters.conversation_items import Item
from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.ports.contents import BlobStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

ITEMS_PER_CALL = 400
"""Items removed in one go: about a second's share of what one partition takes (1,000 write units)."""
WORKERS = 8
"""Removed side by side, one by one: the grant for a batch of removals would be one for a batch of writes."""


class DynamoDeletedConversationItems:
    def __init__(self, table: "Table", contents: BlobStore) -> None:
        self._table, self._contents = table, contents

    def remove(self, tenant: str, conversation_id: str) -> bool:
        meta = items.conversation_key(tenant, conversation_id)
        query: dict[str, Any] = {
            "KeyConditionExpression": Key("pk").eq(meta["pk"]),
            "ProjectionExpression": "pk, sk, spilled",
        }
        with translate_dynamodb_errors("removing a conversation"):
            found = self._table.get_item(Key=meta, ConsistentRead=True).get("Item", {"deleted_at": ""})
            if "deleted_at" not in found:
                return False
            answer = self._table.query(**query, ConsistentRead=True, Limit=ITEMS_PER_CALL)
        with ThreadPoolExecutor(WORKERS) as hands:
            list(hands.map(self._drop, (item for item in answer["Items"] if item["sk"] != meta["sk"])))
        return "LastEvaluatedKey" in answer

    def _drop(self, item: Item) -> None:
        if "spilled" in item:
            self._contents.drop(str(item["spilled"]))
        with translate_dynamodb_errors("removing a conversation"):
            self._table.meta.client.delete_item(
                TableName=self._table.name, Key={"pk": item["pk"], "sk": item["sk"]}
            )
