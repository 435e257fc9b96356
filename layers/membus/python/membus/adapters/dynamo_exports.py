"""Export jobs in the table `tenants`: pk `T#<tenant>#JOB`, sk `<job id>`, beside other jobs; gone with their file."""

from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.transfer import KEPT, Export
from membus.errors import ConflictError, NotFoundError
from membus.ports.clock import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoExports:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = table, clock

    def begin(self, export: Export) -> Export:
        try:
            with dynamo_errors("beginning an export"):
                self._table.put_item(Item=_item(export), ConditionExpression="attribute_not_exists(pk)")
        except ConflictError:
            return self.export(export.tenant, export.job_id)
        return export

    def export(self, tenant: str, job_id: str) -> Export:
        with dynamo_errors("reading an export"):
            item = self._table.get_item(Key=_key(tenant, job_id), ConsistentRead=True).get("Item")
        if item is None or int(str(item["expires_at"])) <= self._clock().timestamp():
            raise NotFoundError("no such job")
        return Export.model_validate_json(str(item["body"]))

    def end(self, export: Export) -> None:
        with dynamo_errors("ending an export"):
            self._table.put_item(Item=_item(export))


def _key(tenant: str, job_id: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}#JOB", "sk": job_id}


def _item(export: Export) -> dict[str, Any]:
    expires = (export.ended_at or export.requested_at) + KEPT
    return {
        **_key(export.tenant, export.job_id), "expires_at": int(expires.timestamp()), "body": export.model_dump_json(),
    }  # fmt: skip
