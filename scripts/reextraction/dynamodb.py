"""Trials of other extractors in DynamoDB."""

from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import ItemKey, tenant_pk
from membus.aws.dynamodb.table import DynamoTable, delete_item, put_item, read_body, within
from membus.core.errors import NotFoundError
from scripts.reextraction.trial_model import ExtractionTrial

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

TRIAL_PREFIX = "SHADOW#"


class DynamoTrials:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def add_trial(self, trial: ExtractionTrial) -> None:
        item = {**_key(trial.tenant, trial.name), "body": trial.model_dump_json()}
        self._table.write(put_item(item), doing="keeping a trial")

    def get_trial(self, tenant: str, name: str) -> ExtractionTrial:
        found = self._table.get(_key(tenant, name), doing="reading a trial")
        if found is None:
            raise NotFoundError(f"no trial {name} of {tenant}")
        return read_body(found, ExtractionTrial)

    def list_trials(self, tenant: str) -> list[ExtractionTrial]:
        items = self._table.query(within(tenant_pk(tenant), TRIAL_PREFIX), doing="listing trials")
        return [read_body(item, ExtractionTrial) for item in items]

    def delete_trial(self, trial: ExtractionTrial) -> None:
        self._table.write(delete_item(_key(trial.tenant, trial.name)), doing="removing a trial")


def _key(tenant: str, name: str) -> ItemKey:
    return {"pk": tenant_pk(tenant), "sk": f"{TRIAL_PREFIX}{name}"}
