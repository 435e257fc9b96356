"""Erasure of a user's rows in the search index: passages, vectors of every model, and marks of removals."""

from typing import Any

from membus.aws.postgres import TenantTransactions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.search.model import memory_scope

_BATCH = 2_000
"""Rows of one statement, far within its ten seconds; their vectors go with them."""
_DELETE = """
    WITH gone AS (
        SELECT id FROM membus.memories WHERE tenant_id = %(tenant)s AND scope = %(scope)s LIMIT %(batch)s
    )
    DELETE FROM membus.memories m USING gone WHERE m.tenant_id = %(tenant)s AND m.id = gone.id
"""
# A user's name may go on behind a colon, a fact's key has none: a mark of `ada:b` is not one of `ada`.
_MARKS = """
    FROM membus.removals WHERE tenant_id = %(tenant)s AND starts_with(group_id, %(facts)s)
        AND strpos(substr(group_id, length(%(facts)s) + 1), ':') = 0
"""
_DELETE_SIZE = "DELETE FROM membus.scopes WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND rows <= 0"
_COUNT = f"""
    SELECT (SELECT count(*) FROM membus.memories WHERE tenant_id = %(tenant)s AND scope = %(scope)s),
           (SELECT count(*) FROM membus.vectors WHERE tenant_id = %(tenant)s AND scope = %(scope)s),
           (SELECT count(*) {_MARKS})
"""  # noqa: S608 - put together from constants


class IndexEraser:
    """A scope is a user's alone, so its rows are what the index holds of them."""

    name = "index"

    def __init__(self, transactions: TenantTransactions) -> None:
        self._transactions = transactions

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed = 0
        while rows := self._execute(owner, _DELETE).rowcount:
            removed += rows
            if not step.time_left():
                return ErasureCount({"index_rows": removed}, "more")
        self._execute(owner, f"DELETE {_MARKS}")
        self._execute(owner, _DELETE_SIZE)
        return ErasureCount({"index_rows": removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        rows, vectors, marks = self._execute(owner, _COUNT).fetchone() or (0, 0, 0)
        return ErasureCount({"index_rows": rows, "index_vectors": vectors, "index_marks": marks})

    def _execute(self, owner: Owner, statement: str) -> Any:
        values = {
            "tenant": owner.tenant,
            "scope": memory_scope(owner.user, None),
            "batch": _BATCH,
            "facts": f"fact:{owner.user}:",
        }
        return self._transactions.execute_statement(owner.tenant, statement, values)
