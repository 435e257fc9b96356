"""Export jobs in DynamoDB, beside other jobs and gone with their file; each part lies below its job."""

from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import ItemKey, job_pk
from membus.aws.dynamodb.table import ABSENT, DynamoTable, Item, put_item, read_body, within
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.transfer.model import FILE_LIFETIME, Export, ExportPart

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoExportJobs:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def start_export(self, export: Export) -> Export:
        try:
            self._table.write(put_item(_job_item(export), ABSENT), doing="beginning an export")
        except ConflictError:
            return self.get_export(export.tenant, export.job_id)
        return export

    def get_export(self, tenant: str, job_id: str) -> Export:
        item = self._table.get(_key(tenant, job_id), doing="reading an export")
        if item is None or int(item["expires_at"]) <= self._clock().timestamp():
            raise NotFoundError("no such job")
        return read_body(item, Export)

    def save_progress(self, export: Export, part: ExportPart | None = None) -> Export:
        further = export.model_copy(update={"revision": export.revision + 1})
        writes = [put_item(_job_item(further), "revision = :read", {":read": export.revision})]
        if part:
            key = _key(export.tenant, f"{_parts_prefix(export)}{part.number:05d}")
            writes.append(put_item({**key, **_expiry(export), "body": part.model_dump_json()}))
        self._table.transact(writes, doing="going on with an export")
        return further

    def list_parts(self, export: Export) -> list[ExportPart]:
        parts = within(job_pk(export.tenant), _parts_prefix(export))
        items = self._table.query(parts, doing="reading an export")
        return [read_body(item, ExportPart) for item in items]


def _key(tenant: str, sk: str) -> ItemKey:
    return {"pk": job_pk(tenant), "sk": sk}


def _parts_prefix(export: Export) -> str:
    return f"{export.job_id}#{export.attempt:03d}#"


def _job_item(export: Export) -> Item:
    return {
        **_key(export.tenant, export.job_id),
        **_expiry(export),
        "revision": export.revision,
        "body": export.model_dump_json(),
    }


def _expiry(export: Export) -> dict[str, int]:
    return {"expires_at": int(((export.ended_at or export.requested_at) + FILE_LIFETIME).timestamp())}
