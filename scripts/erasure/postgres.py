"""The users that the search index names, by their search scopes and by removals.

A scope without rows still is the name of a user.
"""

from membus.aws.postgres import TenantTransactions

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
        rows = self._transactions.execute_statement(tenant, _USERS, {"tenant": tenant})
        return sorted(str(user) for (user,) in rows)
