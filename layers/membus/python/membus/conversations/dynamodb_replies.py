"""Reply jobs and open sockets in DynamoDB.

`PENDING#<request>` is the job of one request, kept for a day: `busy_until` (epoch milliseconds) says for how
long nobody else may begin it, `worked_until` for how long its `worker` has it. `progress` is the digest of
the steps that lie beside it in `STEPS#<request>`. `CONNECTION` is an open socket, kept for two hours at most.
"""

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.errors import conflicting_item
from membus.aws.dynamodb.keys import ItemKey, connection_pk, conversation_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    PRESENT,
    DynamoTable,
    Item,
    Write,
    delete_item,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.conversations.dynamodb_items import (
    JOB_PREFIX,
    conversation_key,
    epoch_seconds,
    job_sort_key,
    progress_sort_key,
)
from membus.conversations.reply_jobs import (
    JobClaim,
    Lease,
    ReplyJob,
    RequestRef,
    SocketConnection,
    StepProgress,
)
from membus.core.clock import Clock, epoch_ms
from membus.core.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

JOB_KEPT = timedelta(days=1)
UNLEASED = "(attribute_not_exists(worked_until) OR worked_until <= :now OR worker = :me)"


class DynamoReplyJobs:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def claim_job(self, request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        """One write unit: the turn's transaction asks for the conversation again, this write does not.

        Progress stays: a request that is sent again after a failure goes on where it was cut off.
        """
        free = f"({ABSENT} OR busy_until <= :now OR message_id = :message_id)"
        update = self._job_update(request, job, free, lease, worker=lease.worker if lease else "")
        try:
            before = self._table.write(update, doing="claiming a reply", returns="ALL_OLD")
        except ConflictError as lost:
            body = (conflicting_item(lost) or {}).get("body")
            in_force = ReplyJob.model_validate_json(str(body)) if body else job
            return JobClaim(in_force, granted=False, repeated=True)
        return JobClaim(job, granted=True, repeated=bool(before), progress=before.get("progress"))

    def update_job(self, request: RequestRef, job: ReplyJob, *, worker: str = "") -> None:
        update = self._job_update(request, job, "message_id = :message_id", None, worker=worker)
        with suppress(ConflictError):
            self._table.write(update, doing="updating a reply job")

    def save_progress(self, request: RequestRef, progress: StepProgress) -> None:
        steps = {
            **_progress_key(request),
            "body": progress.model_dump_json(),
            "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
        }
        noted = update_item(
            _job_key(request), "SET progress = :digest", PRESENT, {":digest": progress.digest}
        )
        # Unless it is gone: a late write must not bring a part of a deleted conversation back.
        with suppress(ConflictError):
            self._table.transact([noted, put_item(steps)], doing="keeping what tools gave")

    def get_progress(self, request: RequestRef, digest: str) -> StepProgress | None:
        item = self._table.get(_progress_key(request), doing="reading what tools gave")
        kept = read_body(item, StepProgress) if item else None
        return kept if kept and kept.digest == digest else None

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        """Look through the requests of a day: who asks has looked for the message itself before."""
        jobs = within(conversation_pk(tenant, conversation_id), JOB_PREFIX)
        named = Attr("message_id").eq(message_id)
        for item in self._table.query(jobs, doing="reading a reply job", FilterExpression=named):
            return read_body(item, ReplyJob)
        raise NotFoundError("no such message")

    def _job_update(
        self, request: RequestRef, job: ReplyJob, condition: str, lease: Lease | None, *, worker: str
    ) -> Write:
        """Return the write of a job that nobody has, or nobody but the worker."""
        attributes: Item = {
            "message_id": job.message_id,
            "busy_until": epoch_ms(job.until),
            "body": job.model_dump_json(),
            "expires_at": epoch_seconds(self._clock() + JOB_KEPT),
        }
        if lease:
            attributes |= {"worked_until": epoch_ms(lease.until), "worker": lease.worker}
        sets = "SET " + ", ".join(f"{name} = :{name}" for name in attributes)
        values = {f":{name}": value for name, value in attributes.items()}
        return update_item(
            _job_key(request),
            sets if lease else f"{sets} REMOVE worked_until, worker",
            f"{condition} AND {UNLEASED}",
            {**values, ":now": epoch_ms(self._clock()), ":me": worker},
        )


def _job_key(request: RequestRef) -> ItemKey:
    return conversation_key(request.tenant, request.conversation_id, job_sort_key(request.key))


def _progress_key(request: RequestRef) -> ItemKey:
    return conversation_key(request.tenant, request.conversation_id, progress_sort_key(request.key))


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
        found = read_body(item, SocketConnection) if item else None
        if found is None or found.expires_at <= self._clock():
            raise NotFoundError("no such connection")
        return found

    def delete_connection(self, tenant: str, connection_id: str) -> None:
        key = _connection_key(tenant, connection_id)
        self._table.write(delete_item(key), doing="forgetting a connection")


def _connection_key(tenant: str, connection_id: str) -> ItemKey:
    return {"pk": connection_pk(tenant, connection_id), "sk": "CONNECTION"}
