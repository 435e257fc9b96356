"""Everything of a tenant, found by reading tables once through.

For an operator's command, no function may scan.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.batches import remove_items
from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.postgres import PostgresConnection, TenantTransactions
from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount
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
    """`keeps` says of a sort key that its item outlives the tenant.

    The bill, and what says that it was erased.
    """

    def __init__(self, table: "Table", name: str, *, keeps: Callable[[str], bool] = lambda _: False) -> None:
        self._table, self.name, self._keeps = table, name, keeps

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        return ErasureCount(
            {
                self.name: sum(
                    remove_items(self._table, page, doing="erasing a tenant") for page in self._pages(owner)
                )
            }
        )

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
        return ErasureCount({self.name: sum(map(len, self._pages(owner)))})

    def _pages(self, owner: Owner) -> list[list[Mapping[str, Any]]]:
        found: list[list[Mapping[str, Any]]] = []
        start: dict[str, Any] = {}
        while True:
            with translate_dynamodb_errors("looking for a tenant's items"):
                answer: Any = self._table.scan(
                    FilterExpression="pk = :own OR begins_with(pk, :below)",
                    ProjectionExpression="pk, sk",
                    ExpressionAttributeValues={":own": f"T#{owner.tenant}", ":below": f"T#{owner.tenant}#"},
                    **start,
                )
            found.append([item for item in answer["Items"] if not self._keeps(str(item["pk"]))])
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


class TenantObjectEraser:
    name = "objects"

    def __init__(self, versions: S3ObjectVersions) -> None:
        self._versions = versions

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        unfinished = self._versions.abort_uploads(EXPORTS.format(owner.tenant))
        whole = sum(self._versions.purge_prefix(folder.format(owner.tenant)) for folder in FOLDERS)
        return ErasureCount({"objects": whole + unfinished})

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
        unfinished = self._versions.list_uploads(EXPORTS.format(owner.tenant))
        whole = sum(self._versions.count_versions(folder.format(owner.tenant)) for folder in FOLDERS)
        return ErasureCount({"objects": whole + len(unfinished)})


class TenantRowEraser:
    name = "index"

    def __init__(self, transactions: TenantTransactions) -> None:
        self._transactions = transactions

    def erase(
        self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool
    ) -> ErasureCount:
        statement = "DELETE FROM membus.{} WHERE tenant_id = %(tenant)s"
        return ErasureCount(
            {"index_rows": sum(self._run(owner, statement.format(table)) for table in TABLES)}
        )

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> ErasureCount:
        statement = "SELECT FROM membus.{} WHERE tenant_id = %(tenant)s"
        return ErasureCount(
            {"index_rows": sum(self._run(owner, statement.format(table)) for table in TABLES)}
        )

    def _run(self, owner: Owner, statement: str) -> int:
        def work(connection: PostgresConnection) -> Callable[[], int]:
            answer = connection.execute(statement.encode(), {"tenant": owner.tenant})
            return lambda: answer.rowcount

        return self._transactions.run_transaction(owner.tenant, work)
