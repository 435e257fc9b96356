"""The erasure ledger and its jobs in DynamoDB, in partitions that no other grant reaches.

`USER#<subject>`, kept for good, says until when everything of a subject is erased; `RUNNING#<subject>` names
the job that is at it and whom it erases; `HOLD#<subject>` is a legal hold.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import ItemKey, erased_pk, job_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    DynamoTable,
    Item,
    check_item,
    delete_item,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.core.erasure import WHOLE_TENANT, Erasure, LegalHold, SubjectsBeingErased, erasure_subject
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LINE, RUNNING, HOLD = "USER#", "RUNNING#", "HOLD#"
READING = "reading the erasure ledger"


class DynamoErasures:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def find_erasure(self, owner: Owner) -> Erasure | None:
        """Ask for both lines in one request: two read units, whether they are there or not."""
        subjects = (WHOLE_TENANT, erasure_subject(owner.tenant, owner.user))
        keys = (_key(owner.tenant, LINE + subject) for subject in subjects)
        found = [
            Erasure(
                tenant=owner.tenant,
                subject=_subject_of(item, LINE),
                before=datetime.fromisoformat(str(item["before"])),
                running="running" in item,
            )
            for item in self._table.get_batch(keys, doing=READING)
        ]
        if not found:
            return None
        furthest = max(found, key=lambda line: line.before)
        return furthest.model_copy(update={"running": any(line.running for line in found)})

    def list_erased_subjects(self, tenant: str) -> frozenset[str]:
        """One query: a read unit for some thirty erasures."""
        return frozenset(_subject_of(item, LINE) for item in self._items(tenant, LINE))

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        """One query: a read unit for every twenty erasures that are under way."""
        items = list(self._items(tenant, RUNNING))
        return SubjectsBeingErased(
            tenant=tenant,
            subjects=frozenset(_subject_of(item, RUNNING) for item in items),
            users=frozenset(str(item["user"]) for item in items if "user" in item),
        )

    def start_job(self, job: ErasureJob) -> ErasureJob:
        tenant, subject = job.tenant, job.subject
        line = {**_key(tenant, LINE + subject), "before": job.before.isoformat(), "running": job.job_id}
        running = {
            **_key(tenant, RUNNING + subject),
            "job_id": job.job_id,
            **({"user": job.user} if job.user else {}),
        }
        writes = [
            put_item(running, ABSENT),
            put_item(_job_item(job), ABSENT),
            put_item(line),
            *(check_item(_key(tenant, HOLD + each), ABSENT) for each in sorted({WHOLE_TENANT, subject})),
        ]
        try:
            self._table.transact(writes, doing="beginning an erasure")
        except ConflictError:
            if known := self._find_known(job):
                return known
            raise
        return job

    def start_purge(self, job: ErasureJob) -> ErasureJob:
        tenant, subjects = job.tenant, (WHOLE_TENANT, job.subject)
        writes = [
            put_item(_job_item(job), ABSENT),
            *(check_item(_key(tenant, HOLD + each), ABSENT) for each in subjects),
            *(check_item(_key(tenant, RUNNING + each), ABSENT) for each in subjects),
        ]
        try:
            self._table.transact(writes, doing="beginning a purge")
        except ConflictError as lost:
            if known := self._table.get(_job_key(tenant, job.job_id), doing=READING):
                return read_body(known, ErasureJob)
            self._raise_hold(tenant, subjects)
            raise ConflictError("this user is being erased", code="erasing") from lost
        return job

    def get_job(self, tenant: str, job_id: str) -> ErasureJob:
        found = self._table.get(_job_key(tenant, job_id), doing=READING)
        if found is None:
            raise NotFoundError("no such job")
        return read_body(found, ErasureJob)

    def save_progress(self, job: ErasureJob) -> ErasureJob:
        after = job.model_copy(update={"revision": job.revision + 1})
        write = put_item(_job_item(after), "revision = :read", {":read": job.revision})
        self._table.write(write, doing="writing how far a job has come")
        return after

    def finish_job(self, job: ErasureJob) -> ErasureJob:
        """Keep the line for good; the mark of the running job goes together with the user's name."""
        gone = {"user": None, "events": (), "cursor": ""}
        after = job.model_copy(update={"revision": job.revision + 1, **gone})
        done = put_item(_job_item(after), "revision = :read", {":read": job.revision})
        if job.kind == "purge":
            self._table.write(done, doing="ending a purge")
            return after
        writes = [
            done,
            delete_item(_key(job.tenant, RUNNING + job.subject)),
            update_item(_key(job.tenant, LINE + job.subject), "REMOVE running"),
        ]
        self._table.transact(writes, doing="ending an erasure")
        return after

    def add_hold(self, hold: LegalHold) -> None:
        subject = erasure_subject(hold.tenant, hold.user)
        writes = [
            put_item({**_key(hold.tenant, HOLD + subject), "body": hold.model_dump_json()}),
            check_item(_key(hold.tenant, RUNNING + subject), ABSENT),
        ]
        try:
            self._table.transact(writes, doing="holding data")
        except ConflictError as lost:
            raise ConflictError("this data is being erased already", code="erasing") from lost

    def remove_hold(self, tenant: str, user: str | None) -> None:
        hold = _key(tenant, HOLD + erasure_subject(tenant, user))
        self._table.write(delete_item(hold), doing="lifting a hold")

    def list_holds(self, tenant: str) -> list[LegalHold]:
        return [read_body(item, LegalHold) for item in self._items(tenant, HOLD)]

    def _find_known(self, job: ErasureJob) -> ErasureJob | None:
        """Return the job that stood in the way of a new one; raise what else did."""
        if known := self._table.get(_job_key(job.tenant, job.job_id), doing=READING):
            return read_body(known, ErasureJob)
        if running := self._table.get(_key(job.tenant, RUNNING + job.subject), doing=READING):
            return self.get_job(job.tenant, str(running["job_id"]))
        self._raise_hold(job.tenant, (WHOLE_TENANT, job.subject))
        return None

    def _raise_hold(self, tenant: str, subjects: Iterable[str]) -> None:
        holds = (_key(tenant, HOLD + subject) for subject in subjects)
        if any(self._table.get(hold, doing=READING) for hold in holds):
            raise ConflictError("a legal hold keeps this data: an operator may lift it", code="legal_hold")

    def _items(self, tenant: str, prefix: str) -> Iterator[Item]:
        return self._table.query(within(erased_pk(tenant), prefix), doing=READING)


def _key(tenant: str, sk: str) -> ItemKey:
    return {"pk": erased_pk(tenant), "sk": sk}


def _job_key(tenant: str, job_id: str) -> ItemKey:
    return {"pk": job_pk(tenant), "sk": job_id}


def _job_item(job: ErasureJob) -> Item:
    key = _job_key(job.tenant, job.job_id)
    return {**key, "revision": job.revision, "body": job.model_dump_json()}


def _subject_of(item: Item, prefix: str) -> str:
    return str(item["sk"]).removeprefix(prefix)
