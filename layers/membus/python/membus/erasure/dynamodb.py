"""The erasure ledger in the table `tenants`, in partitions of their own, so that no other grant reaches them.

pk `T#<tenant>#ERASED`; sk `USER#<subject>` or `USER#TENANT`: until when everything is erased, kept for good;
`RUNNING#<subject>`: the job that is at it and whom it erases;
`HOLD#<subject>`: a legal hold. pk `T#<tenant>#JOB`, sk `<job id>`: a job.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.batches import get_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.erasure import WHOLE_TENANT, Erasure, LegalHold, SubjectsBeingErased, erasure_subject
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Item = dict[str, Any]
ABSENT = "attribute_not_exists(pk)"


class DynamoErasures:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def find_erasure(self, owner: Owner) -> Erasure | None:
        """Ask for both lines in one request: two read units, whether they are there or not."""
        subjects = (WHOLE_TENANT, erasure_subject(owner.tenant, owner.user))
        keys = [_line_key(owner.tenant, subject) for subject in subjects]
        found = [
            Erasure(
                tenant=owner.tenant,
                subject=str(item["sk"]).removeprefix("USER#"),
                before=datetime.fromisoformat(str(item["before"])),
                running="running" in item,
            )
            for item in get_items(self._table, keys, doing="reading the erasure ledger")
        ]
        if not found:
            return None
        furthest = max(found, key=lambda line: line.before)
        return furthest.model_copy(update={"running": any(line.running for line in found)})

    def list_erased_subjects(self, tenant: str) -> frozenset[str]:
        """One query: a read unit for some thirty erasures."""
        return frozenset(str(item["sk"]).removeprefix("USER#") for item in self._query(tenant, "USER#"))

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        """One query: a read unit for every twenty erasures that are under way."""
        items = self._query(tenant, "RUNNING#")
        return SubjectsBeingErased(
            tenant=tenant,
            subjects=frozenset(str(item["sk"]).removeprefix("RUNNING#") for item in items),
            users=frozenset(str(item["user"]) for item in items if "user" in item),
        )

    def start_job(self, job: ErasureJob) -> ErasureJob:
        line = {**_line_key(job.tenant, job.subject), "before": job.before.isoformat(), "running": job.job_id}
        running = {**_key(job.tenant, f"RUNNING#{job.subject}"), "job_id": job.job_id}
        writes = [
            self._put(running | ({"user": job.user} if job.user else {}), ABSENT),
            self._put(_job_item(job), ABSENT),
            self._put(line),
            *(self._unheld(job.tenant, subject) for subject in sorted({WHOLE_TENANT, job.subject})),
        ]
        try:
            write_transaction(self._table.meta.client, writes, doing="beginning an erasure")
        except ConflictError:
            if known := self._known(job):
                return known
            raise
        return job

    def get_job(self, tenant: str, job_id: str) -> ErasureJob:
        found = self._item(_job_key(tenant, job_id))
        if found is None:
            raise NotFoundError("no such job")
        return ErasureJob.model_validate_json(str(found["body"]))

    def save_progress(self, job: ErasureJob) -> ErasureJob:
        after = job.model_copy(update={"revision": job.revision + 1})
        with translate_dynamodb_errors("writing how far a job has come"):
            self._table.put_item(
                Item=_job_item(after),
                ConditionExpression="revision = :read",
                ExpressionAttributeValues={":read": job.revision},
            )
        return after

    def finish_job(self, job: ErasureJob) -> ErasureJob:
        """The line stays for good.

        What says that the job is at it goes in the same moment as the user's name.
        """
        after = job.model_copy(update={"revision": job.revision + 1, "user": None, "cursor": ""})
        name = self._table.name
        writes: list[Any] = [
            self._put(_job_item(after), "revision = :read", {":read": job.revision}),
            {"Delete": {"TableName": name, "Key": _key(job.tenant, f"RUNNING#{job.subject}")}},
            {
                "Update": {
                    "TableName": name,
                    "Key": _line_key(job.tenant, job.subject),
                    "UpdateExpression": "REMOVE running",
                }
            },
        ]
        write_transaction(self._table.meta.client, writes, doing="ending an erasure")
        return after

    def add_hold(self, hold: LegalHold) -> None:
        subject = erasure_subject(hold.tenant, hold.user)
        item = {**_key(hold.tenant, f"HOLD#{subject}"), "body": hold.model_dump_json()}
        idle = {
            "TableName": self._table.name,
            "Key": _key(hold.tenant, f"RUNNING#{subject}"),
            "ConditionExpression": ABSENT,
        }
        try:
            write_transaction(
                self._table.meta.client, [self._put(item), {"ConditionCheck": idle}], doing="holding data"
            )
        except ConflictError as lost:
            raise ConflictError("this data is being erased already", code="erasing") from lost

    def remove_hold(self, tenant: str, user: str | None) -> None:
        with translate_dynamodb_errors("lifting a hold"):
            self._table.delete_item(Key=_key(tenant, f"HOLD#{erasure_subject(tenant, user)}"))

    def list_holds(self, tenant: str) -> list[LegalHold]:
        return [LegalHold.model_validate_json(str(item["body"])) for item in self._query(tenant, "HOLD#")]

    def _known(self, job: ErasureJob) -> ErasureJob | None:
        """Return the job that stood in the way of a new one; raise what else did."""
        if known := self._item(_job_key(job.tenant, job.job_id)):
            return ErasureJob.model_validate_json(str(known["body"]))
        if running := self._item(_key(job.tenant, f"RUNNING#{job.subject}")):
            return self.get_job(job.tenant, str(running["job_id"]))
        if any(self._item(_key(job.tenant, f"HOLD#{subject}")) for subject in (WHOLE_TENANT, job.subject)):
            raise ConflictError("a legal hold keeps this data: an operator may lift it", code="legal_hold")
        return None

    def _unheld(self, tenant: str, subject: str) -> Item:
        key = _key(tenant, f"HOLD#{subject}")
        return {"ConditionCheck": {"TableName": self._table.name, "Key": key, "ConditionExpression": ABSENT}}

    def _put(self, item: Item, condition: str | None = None, values: Item | None = None) -> Item:
        named = {"ConditionExpression": condition} if condition else {}
        return {
            "Put": {
                "TableName": self._table.name,
                "Item": item,
                **named,
                **({"ExpressionAttributeValues": values} if values else {}),
            }
        }

    def _item(self, key: dict[str, str]) -> Item | None:
        with translate_dynamodb_errors("reading the erasure ledger"):
            found: Item | None = self._table.get_item(Key=key, ConsistentRead=True).get("Item")
        return found

    def _query(self, tenant: str, prefix: str) -> list[Item]:
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("reading the erasure ledger"):
                answer = self._table.query(
                    KeyConditionExpression=Key("pk").eq(_key(tenant, "")["pk"])
                    & Key("sk").begins_with(prefix),
                    ConsistentRead=True,
                    **start,
                )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _key(tenant: str, sk: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#ERASED", "sk": sk}


def _line_key(tenant: str, subject: str) -> dict[str, str]:
    return _key(tenant, f"USER#{subject}")


def _job_key(tenant: str, job_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#JOB", "sk": job_id}


def _job_item(job: ErasureJob) -> Item:
    return {**_job_key(job.tenant, job.job_id), "revision": job.revision, "body": job.model_dump_json()}
