"""Export jobs in the table `tenants`: pk `T#<tenant>#JOB`, sk `<job id>`, beside other jobs.

Gone with their file.

What each part holds lies below its job: sk `<job id>#<attempt>#<number>`.
"""

from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.batches import query_pages
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.transfer.model import FILE_LIFETIME, Export, ExportPart

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoExportJobs:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def start_export(self, export: Export) -> Export:
        try:
            with translate_dynamodb_errors("beginning an export"):
                self._table.put_item(Item=_item(export), ConditionExpression="attribute_not_exists(pk)")
        except ConflictError:
            return self.get_export(export.tenant, export.job_id)
        return export

    def get_export(self, tenant: str, job_id: str) -> Export:
        with translate_dynamodb_errors("reading an export"):
            item = self._table.get_item(Key=_key(tenant, job_id), ConsistentRead=True).get("Item")
        if item is None or int(str(item["expires_at"])) <= self._clock().timestamp():
            raise NotFoundError("no such job")
        return Export.model_validate_json(str(item["body"]))

    def save_progress(self, export: Export, part: ExportPart | None = None) -> Export:
        further = export.model_copy(update={"revision": export.revision + 1})
        unmoved = {
            "ConditionExpression": "revision = :read",
            "ExpressionAttributeValues": {":read": export.revision},
        }
        writes = [self._put(Item=_item(further), **unmoved)]
        if part:
            writes.append(self._put(Item=_part_item(export, part)))
        write_transaction(self._table.meta.client, writes, doing="going on with an export")
        return further

    def list_parts(self, export: Export) -> list[ExportPart]:
        key = _key(export.tenant, _below(export))
        query = {"KeyConditionExpression": Key("pk").eq(key["pk"]) & Key("sk").begins_with(key["sk"])}
        found = query_pages(self._table, query | {"ConsistentRead": True}, doing="reading an export")
        return [ExportPart.model_validate_json(str(item["body"])) for page in found for item in page]

    def _put(self, **put: Any) -> dict[str, Any]:
        return {"Put": {"TableName": self._table.name, **put}}


def _key(tenant: str, sk: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#JOB", "sk": sk}


def _below(export: Export) -> str:
    return f"{export.job_id}#{export.attempt:03d}#"


def _item(export: Export) -> dict[str, Any]:
    key = _key(export.tenant, export.job_id)
    return {**key, **_expiry(export), "revision": export.revision, "body": export.model_dump_json()}


def _part_item(export: Export, part: ExportPart) -> dict[str, Any]:
    key = _key(export.tenant, f"{_below(export)}{part.number:05d}")
    return {**key, **_expiry(export), "body": part.model_dump_json()}


def _expiry(export: Export) -> dict[str, int]:
    return {"expires_at": int(((export.ended_at or export.requested_at) + FILE_LIFETIME).timestamp())}
