"""Trials of other readers in the table `tenants`: pk `T#<tenant>`, sk `SHADOW#<name>`."""

from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.domain.shadow import ExtractionTrial
from membus.errors import NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoTrials:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, shadow: ExtractionTrial) -> None:
        with translate_dynamodb_errors("keeping a trial"):
            self._table.put_item(Item=_key(shadow.tenant, shadow.name) | {"body": shadow.model_dump_json()})

    def find(self, tenant: str, name: str) -> ExtractionTrial:
        with translate_dynamodb_errors("reading a trial"):
            found = self._table.get_item(Key=_key(tenant, name), ConsistentRead=True).get("Item")
        if found is None:
            raise NotFoundError(f"no trial {name} of {tenant}")
        return ExtractionTrial.model_validate_json(str(found["body"]))

    def of(self, tenant: str) -> list[ExtractionTrial]:
        with translate_dynamodb_errors("listing trials"):
            answer = self._table.query(
                KeyConditionExpression=Key("pk").eq(f"T#{tenant}") & Key("sk").begins_with("SHADOW#"),
                ConsistentRead=True,
            )
        return [ExtractionTrial.model_validate_json(str(item["body"])) for item in answer["Items"]]

    def remove(self, shadow: ExtractionTrial) -> None:
        with translate_dynamodb_errors("removing a trial"):
            self._table.delete_item(Key=_key(shadow.tenant, shadow.name))


def _key(tenant: str, name: str) -> dict[str, str]:
    return {"pk": f"T#{tenant}", "sk": f"SHADOW#{name}"}
