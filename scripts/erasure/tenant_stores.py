"""Erasure of a whole tenant: its items, found by reading tables whole, its objects and its rows.

For an operator's command: no function may scan.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import tenant_pk
from membus.aws.dynamodb.table import DynamoTable, Item
from membus.aws.postgres import TenantTransactions
from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

EXPORTS = "exports/{}/"
FOLDERS = (
    "{}/",
    "spill/episodes/{}/",
    "spill/documents/{}/",
    "spill/states/{}/",
    "spill/results/{}/",
    EXPORTS,
)
TABLES = ("memories", "vectors", "removals", "scopes")


class TenantItemEraser:
    """`keeps` names the partitions that outlive the tenant: its bill, and the record of its erasure."""

    def __init__(self, table: "Table", name: str, *, keeps: Callable[[str], bool] = lambda _: False) -> None:
        self._table, self.name, self._keeps = DynamoTable(table), name, keeps

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        pages = list(self._pages(owner))
        removed = sum(self._table.delete_items(page, doing="erasing a tenant") for page in pages)
        return ErasureCount({self.name: removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({self.name: sum(map(len, self._pages(owner)))})

    def _pages(self, owner: Owner) -> Iterator[list[Item]]:
        tenant = tenant_pk(owner.tenant)
        pages = self._table.scan_pages(
            doing="looking for a tenant's items",
            FilterExpression=Attr("pk").eq(tenant) | Attr("pk").begins_with(f"{tenant}#"),
            ProjectionExpression="pk, sk",
        )
        for items, _ in pages:
            yield [item for item in items if not self._keeps(str(item["pk"]))]


class TenantObjectEraser:
    name = "objects"

    def __init__(self, versions: S3ObjectVersions) -> None:
        self._versions = versions

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        unfinished = self._versions.abort_uploads(EXPORTS.format(owner.tenant))
        whole = sum(self._versions.purge_prefix(folder.format(owner.tenant)) for folder in FOLDERS)
        return ErasureCount({"objects": whole + unfinished})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        unfinished = self._versions.list_uploads(EXPORTS.format(owner.tenant))
        whole = sum(self._versions.count_versions(folder.format(owner.tenant)) for folder in FOLDERS)
        return ErasureCount({"objects": whole + len(unfinished)})


class TenantRowEraser:
    name = "index"

    def __init__(self, transactions: TenantTransactions) -> None:
        self._transactions = transactions

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._run(owner, "DELETE FROM membus.{} WHERE tenant_id = %(tenant)s")

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return self._run(owner, "SELECT FROM membus.{} WHERE tenant_id = %(tenant)s")

    def _run(self, owner: Owner, statement: str) -> ErasureCount:
        tenant = owner.tenant
        cursors = (
            self._transactions.execute_statement(tenant, statement.format(table), {"tenant": tenant})
            for table in TABLES
        )
        return ErasureCount({"index_rows": sum(cursor.rowcount for cursor in cursors)})
