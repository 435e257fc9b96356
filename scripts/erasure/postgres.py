"""Everybody the search index names.

By the scopes of which the database itself keeps count, and by marks of what went.

A scope that has no rows any more is somebody's name all the same.
"""

from collections.abc import Callable
from typing import Any

from membus.aws.postgres import PostgresConnection, TenantTransactions

# A user's name may hold a colon, a fact's key has none.
_USERS = r"""
    SELECT substr(scope, 3) FROM membus.scopes WHERE tenant_id = %(tenant)s AND starts_with(scope, 'U#')
    UNION SELECT substring(group_id FROM '^fact:(.+):[^:]*$') FROM membus.removals
        WHERE tenant_id = %(tenant)s AND group_id ~ '^fact:.+:[^:]*$'
"""


class PostgresUsers:
    def __init__(self, transactions: TenantTransactions) -> None:
        self._transactions = transactions

    def list_users(self, tenant: str) -> list[str]:
        def work(connection: PostgresConnection) -> Callable[[], list[tuple[Any, ...]]]:
            answer = connection.execute(_USERS.encode(), {"tenant": tenant})
            return answer.fetchall

        return sorted(str(user) for (user,) in self._transactions.run_transaction(tenant, work))
