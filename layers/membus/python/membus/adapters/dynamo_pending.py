"""Replies on their way in the table `conversations`.

Pk `T#<tenant>#C#<conversation>`, sk `PENDING#<request>`.

One for each request, kept for a day; `busy_until` (epoch milliseconds) says for how long nobody else may
begin it, `worked_until` for how long its `worker` has it. `progress` is the digest of what lies beside it: sk
`STEPS#<request>`.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.adapters.conversation_items import ALIVE, PENDING_SK, key, pending_sk, progress_sk, seconds
from membus.adapters.dynamo_errors import dynamo_errors
from membus.adapters.dynamo_transactions import transact
from membus.domain.event import epoch_ms
from membus.domain.pending import Failure, PendingReply, Progress
from membus.errors import ConflictError, NotFoundError, UnavailableError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEPT = timedelta(days=1)


class DynamoPending:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def begin(
        self, tenant: str, conversation_id: str, reply: PendingReply, *, request_key: str
    ) -> PendingReply:
        """Progress stays: who asks the same again after a failure goes on where it was cut off."""
        where = _key(tenant, conversation_id, request_key)
        written = self._written(reply)
        alive: dict[str, Any] = {"Key": key(tenant, conversation_id), "ConditionExpression": ALIVE}
        noted: dict[str, Any] = {
            "Key": where,
            "UpdateExpression": f"{_set(written)} REMOVE worked_until, worker",
            "ConditionExpression": "attribute_not_exists(pk) OR busy_until <= :now OR message_id = :message_id",
            "ExpressionAttributeValues": {":now": epoch_ms(self._clock()), **_values(written)},
        }
        writes = [
            {"ConditionCheck": {"TableName": self._table.name, **alive}},
            {"Update": {"TableName": self._table.name, **noted}},
        ]
        try:
            transact(self._table.meta.client, writes, doing="promising a reply")
        except ConflictError:
            first = self._at(where)
            if first is None or first.until <= self._clock():
                raise NotFoundError("no such conversation") from None
            return first
        return reply

    def take(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        where = _key(tenant, conversation_id, request_key)
        free = Attr("worked_until").not_exists() | Attr("worked_until").lte(epoch_ms(self._clock()))
        try:
            with dynamo_errors("taking up a turn"):
                answer = self._table.update_item(
                    Key=where,
                    UpdateExpression="SET worked_until = :until, worker = :worker",
                    ConditionExpression=Attr("pk").exists() & (free | Attr("worker").eq(worker)),
                    ExpressionAttributeValues={":until": epoch_ms(until), ":worker": worker},
                    ReturnValues="ALL_NEW",
                )
        except ConflictError:
            if self._at(where) is None:
                raise NotFoundError("no such promise") from None
            raise UnavailableError("this turn is being worked on", code="in_progress") from None
        digest = answer["Attributes"].get("progress")
        return str(digest) if digest else None

    def put_down(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        with suppress(ConflictError), dynamo_errors("putting a turn down"):
            self._table.update_item(
                Key=_key(tenant, conversation_id, request_key),
                UpdateExpression="REMOVE worked_until, worker",
                ConditionExpression="attribute_exists(pk)",
            )

    def advance(self, tenant: str, conversation_id: str, progress: Progress, *, request_key: str) -> None:
        where = _key(tenant, conversation_id, request_key)
        noted: dict[str, Any] = {
            "Key": where,
            "UpdateExpression": "SET progress = :digest",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":digest": progress.digest},
        }
        kept: dict[str, Any] = {
            "Item": {
                **_progress_key(tenant, conversation_id, request_key),
                "body": progress.model_dump_json(),
                "expires_at": seconds(self._clock() + KEPT),
            }
        }
        writes = [
            {"Update": {"TableName": self._table.name, **noted}},
            {"Put": {"TableName": self._table.name, **kept}},
        ]
        # Unless it is gone: a late write must not bring a part of a deleted conversation back.
        with suppress(ConflictError):
            transact(self._table.meta.client, writes, doing="keeping what tools gave")

    def progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> Progress | None:
        with dynamo_errors("reading what tools gave"):
            answer = self._table.get_item(
                Key=_progress_key(tenant, conversation_id, request_key), ConsistentRead=True
            )
        kept = Progress.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None
        return kept if kept and kept.digest == digest else None

    def end(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: Failure | None = None,
    ) -> None:
        where = _key(tenant, conversation_id, request_key)
        known = self._at(where)
        if known is None:
            return
        over = {"until": min(known.until, self._clock()), "became": became, "failed": failed}
        written = self._written(known.model_copy(update=over))
        with suppress(ConflictError), dynamo_errors("ending a promise"):
            self._table.update_item(
                Key=where,
                UpdateExpression=f"{_set(written)} REMOVE worked_until, worker",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=_values(written),
            )

    def of(self, tenant: str, conversation_id: str, *, request_key: str) -> PendingReply | None:
        return self._at(_key(tenant, conversation_id, request_key))

    def find(self, tenant: str, conversation_id: str, message_id: str) -> PendingReply:
        """Look through the requests of a day: who asks has looked for the message itself before."""
        promised = Key("pk").eq(key(tenant, conversation_id)["pk"]) & Key("sk").begins_with(PENDING_SK)
        query: dict[str, Any] = {
            "KeyConditionExpression": promised,
            "FilterExpression": Attr("message_id").eq(message_id),
            "ConsistentRead": True,
        }
        with dynamo_errors("reading what is promised"):
            pages = self._table.meta.client.get_paginator("query").paginate(
                TableName=self._table.name, **query
            )
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
            "message_id": reply.message_id,
            "busy_until": epoch_ms(reply.until),
            "body": reply.model_dump_json(),
            "expires_at": seconds(self._clock() + KEPT),
        }


def _set(written: dict[str, Any]) -> str:
    return "SET " + ", ".join(f"{name} = :{name}" for name in written)


def _values(written: dict[str, Any]) -> dict[str, Any]:
    return {f":{name}": value for name, value in written.items()}


def _progress_key(tenant: str, conversation_id: str, request_key: str) -> dict[str, str]:
    return key(tenant, conversation_id, progress_sk(request_key))


def _key(tenant: str, conversation_id: str, request_key: str) -> dict[str, str]:
    return key(tenant, conversation_id, pending_sk(request_key))
