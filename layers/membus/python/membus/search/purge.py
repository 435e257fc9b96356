"""Purge of single events from the search index: episodes, replies and facts that rest on them."""

from collections.abc import Sequence
from typing import Any

from membus.aws.postgres import TenantTransactions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.search.model import memory_scope

_OF_EVENTS = """
    FROM membus.memories WHERE tenant_id = %(tenant)s AND scope = %(scope)s
        AND source->>'event_id' = ANY(%(events)s)
"""


class IndexPurger:
    """A fact that rests on other words, too, is written again by the stream of its change."""

    name = "index"

    def __init__(self, transactions: TenantTransactions, events: Sequence[str]) -> None:
        self._transactions, self._events = transactions, list(events)

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({"index_rows": self._execute(owner, f"DELETE {_OF_EVENTS}").rowcount})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        (rows,) = self._execute(owner, f"SELECT count(*) {_OF_EVENTS}").fetchone() or (0,)
        return ErasureCount({"index_rows": rows})

    def _execute(self, owner: Owner, statement: str) -> Any:
        values = {"tenant": owner.tenant, "scope": memory_scope(owner.user, None), "events": self._events}
        return self._transactions.execute_statement(owner.tenant, statement, values)
