"""Replies on their way in the table `conversations`.

Pk `T#<tenant>#C#<conversation>`, sk `PENDING#<request>`.

One for each request, kept for a day; `busy_until` (epoch milliseconds) says for how long nobody else may
begin it, `worked_until` for how long its `worker` has it. `progress` is the digest of what lies beside it: sk
`STEPS#<request>`.

Open sockets in the table `conversations`.

Pk `T#<tenant>#W#<connection id>`, sk `CONNECTION`, two hours at most.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.conversations.dynamodb_items import (
    ALIVE,
    JOB_PREFIX,
    conversation_key,
    epoch_seconds,
    job_sort_key,
    progress_sort_key,
)
from membus.conversations.reply_jobs import ReplyFailure, ReplyJob, SocketConnection, StepProgress
from membus.core.clock import Clock, epoch_ms
from membus.core.errors import ConflictError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table
JOB_KEPT = timedelta(days=1)


class DynamoReplyJobs:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def create_job(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        """Progress stays: who asks the same again after a failure goes on where it was cut off."""
        where = _job_key(tenant, conversation_id, request_key)
        written = self._written(reply)
        alive: dict[str, Any] = {
            "Key": conversation_key(tenant, conversation_id),
            "ConditionExpression": ALIVE,
        }
        noted: dict[str, Any] = {
            "Key": where,
            "UpdateExpression": f"{_set_expression(written)} REMOVE worked_until, worker",
            "ConditionExpression": "attribute_not_exists(pk) OR busy_until <= :now OR message_id = :message_id",
            "ExpressionAttributeValues": {":now": epoch_ms(self._clock()), **_expression_values(written)},
        }
        writes = [
            {"ConditionCheck": {"TableName": self._table.name, **alive}},
            {"Update": {"TableName": self._table.name, **noted}},
        ]
        try:
            write_transaction(self._table.meta.client, writes, doing="promising a reply")
        except ConflictError:
            first = self._at(where)
            if first is None or first.until <= self._clock():
                raise NotFoundError("no such conversation") from None
            return first
        return reply

    def acquire_lease(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        where = _job_key(tenant, conversation_id, request_key)
        free = Attr("worked_until").not_exists() | Attr("worked_until").lte(epoch_ms(self._clock()))
        try:
            with translate_dynamodb_errors("taking up a turn"):
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

    def release_lease(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        with suppress(ConflictError), translate_dynamodb_errors("putting a turn down"):
            self._table.update_item(
                Key=_job_key(tenant, conversation_id, request_key),
                UpdateExpression="REMOVE worked_until, worker",
                ConditionExpression="attribute_exists(pk)",
            )

    def save_progress(
        self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str
    ) -> None:
        where = _job_key(tenant, conversation_id, request_key)
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
                "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
            }
        }
        writes = [
            {"Update": {"TableName": self._table.name, **noted}},
            {"Put": {"TableName": self._table.name, **kept}},
        ]
        # Unless it is gone: a late write must not bring a part of a deleted conversation back.
        with suppress(ConflictError):
            write_transaction(self._table.meta.client, writes, doing="keeping what tools gave")

    def get_progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        with translate_dynamodb_errors("reading what tools gave"):
            answer = self._table.get_item(
                Key=_progress_key(tenant, conversation_id, request_key), ConsistentRead=True
            )
        kept = StepProgress.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None
        return kept if kept and kept.digest == digest else None

    def finish_job(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: ReplyFailure | None = None,
    ) -> None:
        where = _job_key(tenant, conversation_id, request_key)
        known = self._at(where)
        if known is None:
            return
        over = {"until": min(known.until, self._clock()), "became": became, "failed": failed}
        written = self._written(known.model_copy(update=over))
        with suppress(ConflictError), translate_dynamodb_errors("ending a promise"):
            self._table.update_item(
                Key=where,
                UpdateExpression=f"{_set_expression(written)} REMOVE worked_until, worker",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues=_expression_values(written),
            )

    def find_by_request(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        return self._at(_job_key(tenant, conversation_id, request_key))

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        """Look through the requests of a day: who asks has looked for the message itself before."""
        promised = Key("pk").eq(conversation_key(tenant, conversation_id)["pk"]) & Key("sk").begins_with(
            JOB_PREFIX
        )
        query: dict[str, Any] = {
            "KeyConditionExpression": promised,
            "FilterExpression": Attr("message_id").eq(message_id),
            "ConsistentRead": True,
        }
        with translate_dynamodb_errors("reading what is promised"):
            pages = self._table.meta.client.get_paginator("query").paginate(
                TableName=self._table.name, **query
            )
            found = [item for page in pages for item in page["Items"]]
        if not found:
            raise NotFoundError("no such message")
        return ReplyJob.model_validate_json(str(found[0]["body"]))

    def _at(self, where: dict[str, str]) -> ReplyJob | None:
        with translate_dynamodb_errors("reading what is promised"):
            answer = self._table.get_item(Key=where, ConsistentRead=True)
        return ReplyJob.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None

    def _written(self, reply: ReplyJob) -> dict[str, Any]:
        return {
            "message_id": reply.message_id,
            "busy_until": epoch_ms(reply.until),
            "body": reply.model_dump_json(),
            "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
        }


def _set_expression(written: dict[str, Any]) -> str:
    return "SET " + ", ".join(f"{name} = :{name}" for name in written)


def _expression_values(written: dict[str, Any]) -> dict[str, Any]:
    return {f":{name}": value for name, value in written.items()}


def _progress_key(tenant: str, conversation_id: str, request_key: str) -> dict[str, str]:
    return conversation_key(tenant, conversation_id, progress_sort_key(request_key))


def _job_key(tenant: str, conversation_id: str, request_key: str) -> dict[str, str]:
    return conversation_key(tenant, conversation_id, job_sort_key(request_key))


class DynamoConnections:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def add_connection(self, connection: SocketConnection) -> None:
        item: dict[str, Any] = {
            **_connection_key(connection.tenant_id, connection.connection_id),
            "body": connection.model_dump_json(),
            "expires_at": int(connection.expires_at.timestamp()),
        }
        with translate_dynamodb_errors("noting a connection"):
            self._table.put_item(Item=item)

    def get_connection(self, tenant: str, connection_id: str) -> SocketConnection:
        with translate_dynamodb_errors("reading a connection"):
            answer = self._table.get_item(Key=_connection_key(tenant, connection_id), ConsistentRead=True)
        found = (
            SocketConnection.model_validate_json(str(answer["Item"]["body"])) if "Item" in answer else None
        )
        if found is None or found.expires_at <= self._clock():
            raise NotFoundError("no such connection")
        return found

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        with translate_dynamodb_errors("forgetting a connection"):
            self._table.delete_item(Key=_connection_key(tenant, connection_id))


def _connection_key(tenant: str, connection_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#W#{connection_id}", "sk": "CONNECTION"}
