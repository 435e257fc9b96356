"""Open sockets in the table `conversations`.

Pk `T#<tenant>#W#<connection id>`, sk `CONNECTION`, two hours at most.
"""

from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.domain.connection import SocketConnection
from membus.errors import NotFoundError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoConnections:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def open(self, connection: SocketConnection) -> None:
        item: dict[str, Any] = {
            **_connection_key(connection.tenant_id, connection.connection_id),
            "body": connection.model_dump_json(),
            "expires_at": int(connection.expires_at.timestamp()),
        }
        with translate_dynamodb_errors("noting a connection"):
            self._table.put_item(Item=item)

    def find(self, tenant: str, connection_id: str) -> SocketConnection:
        with translate_dynamodb_errors("reading a connection"):
            answer = self._table.get_item(Key=_connection_key(tenant, connection_id), ConsistentRead=True)
        found = (
            SocketConnection.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None
        )
        if found is None or found.expires_at <= self._clock():
            raise NotFoundError("no such connection")
        return found

    def close(self, tenant: str, connection_id: str) -> None:
        with translate_dynamodb_errors("forgetting a connection"):
            self._table.delete_item(Key=_connection_key(tenant, connection_id))


def _connection_key(tenant: str, connection_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#W#{connection_id}", "sk": "CONNECTION"}
