"""Summaries that only the search index has: a restore of the index alone brings them back.

A summary belongs to the conversation's owner and may quote all who took part.
"""

import json
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import SUMMARY_PREFIX, ItemKey
from membus.aws.dynamodb.table import DynamoTable
from membus.aws.postgres import TenantTransactions
from membus.conversations.dynamodb_items import conversation_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_INDEXED = """
    SELECT group_id, max(version) FROM membus.memories WHERE tenant_id = %(tenant)s AND kind = 'summary'
    GROUP BY group_id ORDER BY group_id
"""
_DELETE = """
    DELETE FROM membus.memories m
    USING unnest(%(groups)s::text[], %(versions)s::bigint[]) AS stale (group_id, version)
    WHERE m.tenant_id = %(tenant)s AND m.group_id = stale.group_id AND m.version <= stale.version
"""
_BATCH = 1_000


class StaleSummaries:
    def __init__(self, transactions: TenantTransactions, conversations: "Table") -> None:
        self._transactions, self._table = transactions, DynamoTable(conversations)

    def delete_stale(self, tenant: str) -> int:
        """Remove every indexed summary that its conversation does not have; return how many passages went.

        The index is read first: what is written meanwhile has a newer version, and stays.
        """
        rows = self._transactions.execute_statement(tenant, _INDEXED, {"tenant": tenant})
        indexed = [(str(group), int(version)) for group, version in rows]
        return sum(self._delete(tenant, indexed[at : at + _BATCH]) for at in range(0, len(indexed), _BATCH))

    def _delete(self, tenant: str, indexed: list[tuple[str, int]]) -> int:
        keys = [_key(tenant, group) for group, _ in indexed]
        stored = {
            (item["pk"], item["sk"], int(json.loads(str(item["body"]))["version"]))
            for item in self._table.get_batch(keys, doing="looking for summaries")
        }
        stale = [
            (group, version)
            for (group, version), key in zip(indexed, keys, strict=True)
            if (key["pk"], key["sk"], version) not in stored
        ]
        groups, versions = [group for group, _ in stale], [version for _, version in stale]
        values = {"tenant": tenant, "groups": groups, "versions": versions}
        return self._transactions.execute_statement(tenant, _DELETE, values).rowcount


def _key(tenant: str, group: str) -> ItemKey:
    """Return the key of the summary that the search index calls `group`."""
    conversation, level, first = group.removeprefix("summary:").rsplit(":", 2)
    return conversation_key(tenant, conversation, f"{SUMMARY_PREFIX}{level}#{first}")
