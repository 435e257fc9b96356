"""Conversations in DynamoDB: pk `T#<tenant>#C#<conversation>`; sk `META`, `MSG#<ulid>`, `TURN#<request key>`.

Index `by_status`: `T#<tenant>#<status>` by conversation id, so the newest come first. A turn's item remembers for a
day which request produced it: a retried request finds its answer instead of asking the model again. The same holds
for a conversation's beginning: pk `T#<tenant>#C#<request key>`, sk `REQUEST`.
"""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_errors import dynamo_errors
from membus.adapters.dynamo_transactions import transact
from membus.domain.conversation import Conversation, Message, Status, Turn
from membus.domain.pages import Page
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

REQUEST_LIFETIME = timedelta(days=1)


class DynamoConversations:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def create(self, conversation: Conversation, *, request_key: str) -> Conversation:
        now, request = self._clock(), _request_key(conversation.tenant_id, request_key)
        asked = {
            **request,
            "conversation_id": conversation.conversation_id,
            "expires_at": int((now + REQUEST_LIFETIME).timestamp()),
        }
        first = {
            "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
            "ExpressionAttributeValues": {":now": int(now.timestamp())},
        }
        new = {"Item": _meta_item(conversation), "ConditionExpression": "attribute_not_exists(pk)"}
        writes: list[Any] = [{"Put": {"TableName": self._table.name, **put}} for put in ({"Item": asked, **first}, new)]
        try:
            transact(self._table.meta.client, writes, doing="creating a conversation")
        except ConflictError:
            made = self._item(request)
            if made is None:
                raise
            return self.conversation(conversation.tenant_id, str(made["conversation_id"]))
        return conversation

    def conversation(self, tenant: str, conversation_id: str) -> Conversation:
        item = self._item(_key(tenant, conversation_id, "META"))
        if item is None:
            raise NotFoundError("no such conversation")
        return _conversation(item)

    def page(self, tenant: str, status: Status, *, limit: int, after: dict[str, str] | None) -> Page[Conversation]:
        items, last = self._query(
            {"KeyConditionExpression": Key("status_pk").eq(f"T#{tenant}#{status}"), "IndexName": "by_status"},
            limit=limit, after=after, forward=False,
        )  # fmt: skip
        return Page(tuple(map(_conversation, items)), last)

    def messages(self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None) -> Page[Message]:
        items, last = self._query(_messages_of(tenant, conversation_id), limit=limit, after=after, forward=True)
        return Page(tuple(map(_message, items)), last)

    def recent(self, tenant: str, conversation_id: str, *, limit: int) -> list[Message]:
        items, _ = self._query(_messages_of(tenant, conversation_id), limit=limit, after=None, forward=False)
        return [_message(item) for item in reversed(items)]

    def turn(self, tenant: str, conversation_id: str, request_key: str) -> Turn | None:
        item = self._item(_key(tenant, conversation_id, _turn_sk(request_key)))
        if item is None or int(item["expires_at"]) <= self._clock().timestamp():
            return None
        return Turn.model_validate_json(item["body"])

    def add(self, tenant: str, conversation_id: str, turn: Turn, *, request_key: str, title: str | None) -> None:
        now = self._clock()
        asked = {
            **_key(tenant, conversation_id, _turn_sk(request_key)),
            "expires_at": int((now + REQUEST_LIFETIME).timestamp()),
            "body": turn.model_dump_json(),
        }
        puts: list[dict[str, Any]] = [
            {
                "Item": asked,
                "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
                "ExpressionAttributeValues": {":now": int(now.timestamp())},
            },
            *({"Item": _message_item(tenant, conversation_id, said)} for said in (turn.user, turn.assistant)),
        ]
        writes: list[Any] = [{"Put": {"TableName": self._table.name, **put}} for put in puts]
        writes.append(self._count(_key(tenant, conversation_id, "META"), title))
        try:
            transact(self._table.meta.client, writes, doing="storing a turn")
        except ConflictError:
            self.conversation(tenant, conversation_id)
            raise

    def _count(self, key: dict[str, str], title: str | None) -> dict[str, Any]:
        titled = ", title = if_not_exists(title, :title)" if title else ""
        values = {":two": 2, ":none": 0} | ({":title": title} if title else {})
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": key,
                "UpdateExpression": f"SET message_count = if_not_exists(message_count, :none) + :two{titled}",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": values,
            }
        }

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        with dynamo_errors("reading a conversation"):
            return self._table.meta.client.get_item(TableName=self._table.name, Key=key, ConsistentRead=True).get(
                "Item"
            )

    def _query(
        self, query: dict[str, Any], *, limit: int, after: dict[str, str] | None, forward: bool
    ) -> tuple[list[dict[str, Any]], dict[str, str] | None]:
        start: dict[str, Any] = {"ExclusiveStartKey": after} if after else {}
        with dynamo_errors("reading a conversation"):
            answer: Any = self._table.meta.client.query(
                TableName=self._table.name, Limit=limit, ScanIndexForward=forward, **query, **start
            )
        return answer["Items"], answer.get("LastEvaluatedKey")


def _request_key(tenant: str, request_key: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#C#{hashlib.sha256(request_key.encode()).hexdigest()}", "sk": "REQUEST"}


def _meta_item(conversation: Conversation) -> dict[str, Any]:
    item: dict[str, Any] = {
        **_key(conversation.tenant_id, conversation.conversation_id, "META"),
        **_by_status(conversation),
        "message_count": 0,
        "body": conversation.model_dump_json(exclude={"message_count", "title"}),
    }
    return item | ({"title": conversation.title} if conversation.title else {})


def _key(tenant: str, conversation_id: str, sk: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#C#{conversation_id}", "sk": sk}


def _messages_of(tenant: str, conversation_id: str) -> dict[str, Any]:
    pk = _key(tenant, conversation_id, "")["pk"]
    return {"KeyConditionExpression": Key("pk").eq(pk) & Key("sk").begins_with("MSG#"), "ConsistentRead": True}


def _turn_sk(request_key: str) -> str:
    return f"TURN#{hashlib.sha256(request_key.encode()).hexdigest()}"


def _by_status(conversation: Conversation) -> dict[str, str]:
    return {
        "status_pk": f"T#{conversation.tenant_id}#{conversation.status}",
        "status_sk": conversation.conversation_id,
    }


def _message_item(tenant: str, conversation_id: str, message: Message) -> dict[str, Any]:
    key = _key(tenant, conversation_id, f"MSG#{message.message_id}")
    return {**key, "body": message.model_dump_json()}


def _conversation(item: dict[str, Any]) -> Conversation:
    stored = Conversation.model_validate_json(str(item["body"]))
    return stored.model_copy(update={"message_count": int(item["message_count"]), "title": item.get("title")})


def _message(item: dict[str, Any]) -> Message:
    return Message.model_validate_json(str(item["body"]))
