"""Reply jobs and open sockets in DynamoDB.

`PENDING#<request>` is the job of one request, kept for a day: `busy_until` (epoch milliseconds) says for how
long nobody else may begin it, `worked_until` for how long its `worker` has it. `progress` is the digest of
the steps that lie beside it in `STEPS#<request>`. `CONNECTION` is an open socket, kept for two hours at most.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import ItemKey, connection_pk, conversation_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    PRESENT,
    DynamoTable,
    Item,
    check_item,
    delete_item,
    put_item,
    update_item,
    within,
)
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
READING = "reading what is promised"


class DynamoReplyJobs:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def create_job(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        """Progress stays: who asks the same again after a failure goes on where it was cut off."""
        where = _job_key(tenant, conversation_id, request_key)
        expression, values = self._job_update(reply)
        free = f"{ABSENT} OR busy_until <= :now OR message_id = :message_id"
        writes = [
            check_item(conversation_key(tenant, conversation_id), ALIVE),
            update_item(where, expression, free, {":now": epoch_ms(self._clock()), **values}),
        ]
        try:
            self._table.transact(writes, doing="promising a reply")
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
        lease = update_item(
            where,
            "SET worked_until = :until, worker = :worker",
            f"{PRESENT} AND (attribute_not_exists(worked_until) OR worked_until <= :now OR worker = :worker)",
            {":until": epoch_ms(until), ":worker": worker, ":now": epoch_ms(self._clock())},
        )
        try:
            job = self._table.write(lease, doing="taking up a turn", returns="ALL_NEW")
        except ConflictError:
            if self._at(where) is None:
                raise NotFoundError("no such promise") from None
            raise UnavailableError("this turn is being worked on", code="in_progress") from None
        return str(job["progress"]) if job.get("progress") else None

    def release_lease(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        where = _job_key(tenant, conversation_id, request_key)
        with suppress(ConflictError):
            self._table.write(
                update_item(where, "REMOVE worked_until, worker", PRESENT), doing="putting a turn down"
            )

    def save_progress(
        self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str
    ) -> None:
        steps = {
            **_progress_key(tenant, conversation_id, request_key),
            "body": progress.model_dump_json(),
            "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
        }
        where = _job_key(tenant, conversation_id, request_key)
        noted = update_item(where, "SET progress = :digest", PRESENT, {":digest": progress.digest})
        # Unless it is gone: a late write must not bring a part of a deleted conversation back.
        with suppress(ConflictError):
            self._table.transact([noted, put_item(steps)], doing="keeping what tools gave")

    def get_progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        where = _progress_key(tenant, conversation_id, request_key)
        item = self._table.get(where, doing="reading what tools gave")
        kept = StepProgress.model_validate_json(str(item["body"])) if item else None
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
        expression, values = self._job_update(known.model_copy(update=over))
        with suppress(ConflictError):
            self._table.write(update_item(where, expression, PRESENT, values), doing="ending a promise")

    def find_by_request(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        return self._at(_job_key(tenant, conversation_id, request_key))

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        """Look through the requests of a day: who asks has looked for the message itself before."""
        jobs = within(conversation_pk(tenant, conversation_id), JOB_PREFIX)
        named = Attr("message_id").eq(message_id)
        for item in self._table.query(jobs, doing=READING, FilterExpression=named):
            return ReplyJob.model_validate_json(str(item["body"]))
        raise NotFoundError("no such message")

    def _at(self, where: ItemKey) -> ReplyJob | None:
        item = self._table.get(where, doing=READING)
        return ReplyJob.model_validate_json(str(item["body"])) if item else None

    def _job_update(self, reply: ReplyJob) -> tuple[str, Item]:
        """Return the expression, and its values, that write a job nobody works on."""
        written = {
            "message_id": reply.message_id,
            "busy_until": epoch_ms(reply.until),
            "body": reply.model_dump_json(),
            "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
        }
        sets = ", ".join(f"{name} = :{name}" for name in written)
        return f"SET {sets} REMOVE worked_until, worker", {
            f":{name}": value for name, value in written.items()
        }


def _job_key(tenant: str, conversation_id: str, request_key: str) -> ItemKey:
    return conversation_key(tenant, conversation_id, job_sort_key(request_key))


def _progress_key(tenant: str, conversation_id: str, request_key: str) -> ItemKey:
    return conversation_key(tenant, conversation_id, progress_sort_key(request_key))


class DynamoConnections:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def add_connection(self, connection: SocketConnection) -> None:
        item = {
            **_connection_key(connection.tenant_id, connection.connection_id),
            "body": connection.model_dump_json(),
            "expires_at": epoch_seconds(connection.expires_at),
        }
        self._table.write(put_item(item), doing="noting a connection")

    def get_connection(self, tenant: str, connection_id: str) -> SocketConnection:
        item = self._table.get(_connection_key(tenant, connection_id), doing="reading a connection")
        found = SocketConnection.model_validate_json(str(item["body"])) if item else None
        if found is None or found.expires_at <= self._clock():
            raise NotFoundError("no such connection")
        return found

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        key = _connection_key(tenant, connection_id)
        self._table.write(delete_item(key), doing="forgetting a connection")


def _connection_key(tenant: str, connection_id: str) -> ItemKey:
    return {"pk": connection_pk(tenant, connection_id), "sk": "CONNECTION"}
