"""A user's rows of the search index.

Passages, vectors of every model, what waits, and what was removed before.
"""

from collections.abc import Callable
from typing import Any

from membus.aws.postgres import PostgresConnection, TenantTransactions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.search.model import memory_scope

_BATCH = 2_000
"""Rows of one statement, far within its ten seconds; their vectors go with them."""
_ERASE = """
    WITH gone AS (SELECT id FROM membus.memories WHERE tenant_id = %(tenant)s AND scope = %(scope)s LIMIT %(batch)s)
    DELETE FROM membus.memories m USING gone WHERE m.tenant_id = %(tenant)s AND m.id = gone.id
"""
# A user's name may go on behind a colon, a fact's key has none: a mark of `ada:b` is not one of `ada`.
_FORGET = """
    DELETE FROM membus.removals WHERE tenant_id = %(tenant)s AND starts_with(group_id, %(facts)s)
        AND strpos(substr(group_id, length(%(facts)s) + 1), ':') = 0
"""
_SIZE = "DELETE FROM membus.scopes WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND rows <= 0"
_COUNT = """
    SELECT (SELECT count(*) FROM membus.memories WHERE tenant_id = %(tenant)s AND scope = %(scope)s),
           (SELECT count(*) FROM membus.vectors WHERE tenant_id = %(tenant)s AND scope = %(scope)s),
           (SELECT count(*) FROM membus.removals WHERE tenant_id = %(tenant)s AND starts_with(group_id, %(facts)s)
                AND strpos(substr(group_id, length(%(facts)s) + 1), ':') = 0)
"""


class IndexEraser:
    """A scope is a user's alone, so its rows are what the index holds of them."""

    name = "index"

    def __init__(self, transactions: TenantTransactions) -> None:
        self._transactions = transactions

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        removed = 0
        while rows := self._run(owner, _ERASE):
            removed += rows
            if not step.time_left():
                return ErasureCount({"index_rows": removed}, "more")
        for statement in (_FORGET, _SIZE):
            self._run(owner, statement)
        return ErasureCount({"index_rows": removed})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        def work(connection: PostgresConnection) -> Callable[[], tuple[int, int, int]]:
            answer = connection.execute(_COUNT.encode(), _named(owner))
            return lambda: answer.fetchone() or (0, 0, 0)

        rows, vectors, marks = self._transactions.run_transaction(owner.tenant, work)
        return ErasureCount({"index_rows": rows, "index_vectors": vectors, "index_marks": marks})

    def _run(self, owner: Owner, statement: str) -> int:
        def work(connection: PostgresConnection) -> Callable[[], int]:
            answer = connection.execute(statement.encode(), _named(owner))
            return lambda: answer.rowcount

        return self._transactions.run_transaction(owner.tenant, work)


def _named(owner: Owner) -> dict[str, Any]:
    return {
        "tenant": owner.tenant,
        "scope": memory_scope(owner.user, None),
        "batch": _BATCH,
        "facts": f"fact:{owner.user}:",
    }
