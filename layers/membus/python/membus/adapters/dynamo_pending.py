"""Replies on their way in the table `conversations`: pk `T#<tenant>#C#<conversation>`, sk `PENDING#<request>`.

One for each request, kept for a day; `busy_until` (epoch milliseconds) says for how long nobody else may begin it.
"""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.adapters.conversation_items import ALIVE, PENDING_SK, key, pending_sk, seconds
from membus.adapters.dynamo_errors import dynamo_errors
from membus.adapters.dynamo_transactions import transact
from membus.domain.event import epoch_ms
from membus.domain.pending import PendingReply
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT = timedelta(days=1)


class DynamoPending:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def begin(self, tenant: str, conversation_id: str, reply: PendingReply, *, request_key: str) -> PendingReply:
        where = _key(tenant, conversation_id, request_key)
        alive: dict[str, Any] = {"Key": key(tenant, conversation_id), "ConditionExpression": ALIVE}
        noted: dict[str, Any] = {
            "Item": {**where, **self._written(reply)},
            "ConditionExpression": "attribute_not_exists(pk) OR busy_until <= :now OR message_id = :mine",
            "ExpressionAttributeValues": {":now": epoch_ms(self._clock()), ":mine": reply.message_id},
        }
        writes = [
            {"ConditionCheck": {"TableName": self._table.name, **alive}},
            {"Put": {"TableName": self._table.name, **noted}},
        ]
        try:
            transact(self._table.meta.client, writes, doing="promising a reply")
        except ConflictError:
            first = self._at(where)
            if first is None or first.until <= self._clock():
                raise NotFoundError("no such conversation") from None
            return first
        return reply

    def end(self, tenant: str, conversation_id: str, *, request_key: str, became: str | None = None) -> None:
        where = _key(tenant, conversation_id, request_key)
        known = self._at(where)
        if known is None:
            return
        over = known.model_copy(update={"until": min(known.until, self._clock()), "became": became})
        # Unless it is gone: a late write must not bring a part of a deleted conversation back.
        with suppress(ConflictError), dynamo_errors("ending a promise"):
            self._table.put_item(Item={**where, **self._written(over)}, ConditionExpression="attribute_exists(pk)")

    def find(self, tenant: str, conversation_id: str, message_id: str) -> PendingReply:
        """Look through the requests of a day: who asks has looked for the message itself before."""
        promised = Key("pk").eq(key(tenant, conversation_id)["pk"]) & Key("sk").begins_with(PENDING_SK)
        query: dict[str, Any] = {
            "KeyConditionExpression": promised,
            "FilterExpression": Attr("message_id").eq(message_id), "ConsistentRead": True,
        }  # fmt: skip
        with dynamo_errors("reading what is promised"):
            pages = self._table.meta.client.get_paginator("query").paginate(TableName=self._table.name, **query)
            found = [item for page in pages for item in page["Items"]]
        if not found:
            raise NotFoundError("no such message")
        return PendingReply.model_validate_json(str(found[0]["body"]))

    def _at(self, where: dict[str, str]) -> PendingReply | None:
        with dynamo_errors("reading what is promised"):
            answer = self._table.get_item(Key=where, ConsistentRead=True)
        return PendingReply.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None

    def _written(self, reply: PendingReply) -> dict[str, Any]:
        return {
            "message_id": reply.message_id, "busy_until": epoch_ms(reply.until), "body": reply.model_dump_json(),
            "expires_at": seconds(self._clock() + KEPT),
        }  # fmt: skip


def _key(tenant: str, conversation_id: str, request_key: str) -> dict[str, str]:
    return key(tenant, conversation_id, pending_sk(request_key))
