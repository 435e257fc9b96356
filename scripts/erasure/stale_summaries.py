"""Summaries that the search index has and their conversations have not: a restore of the index brings them back.

They are found among what belongs to the conversation's owner, and may quote anybody who took part.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.keys import SUMMARY_PREFIX, ItemKey
from membus.aws.dynamodb.table import DynamoTable
from membus.aws.postgres import PostgresConnection, TenantTransactions
from membus.conversations.dynamodb_items import conversation_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_INDEXED = """
    SELECT group_id, max(version) FROM membus.memories WHERE tenant_id = %(tenant)s AND kind = 'summary'
    GROUP BY group_id ORDER BY group_id
"""
_DROP = """
    DELETE FROM membus.memories m USING unnest(%(groups)s::text[], %(versions)s::bigint[]) AS stale (group_id, version)
    WHERE m.tenant_id = %(tenant)s AND m.group_id = stale.group_id AND m.version <= stale.version
"""
_BATCH = 1_000
IndexedSummary = tuple[str, int]


class StaleSummaries:
    def __init__(self, transactions: TenantTransactions, conversations: "Table") -> None:
        self._transactions, self._table = transactions, DynamoTable(conversations)

    def delete_stale(self, tenant: str) -> int:
        """Remove every summary that is not in its conversation at the version indexed.

        Return how many passages went.

        The index is asked first: what is written meanwhile is newer than what it told, and stays.
        """
        indexed = self._indexed(tenant)
        return sum(self._drop(tenant, indexed[at : at + _BATCH]) for at in range(0, len(indexed), _BATCH))

    def _indexed(self, tenant: str) -> list[IndexedSummary]:
        def work(connection: PostgresConnection) -> Callable[[], list[tuple[Any, ...]]]:
            return connection.execute(_INDEXED.encode(), {"tenant": tenant}).fetchall

        return [
            (str(group), int(version)) for group, version in self._transactions.run_transaction(tenant, work)
        ]

    def _drop(self, tenant: str, indexed: list[IndexedSummary]) -> int:
        keys = [_key(tenant, group) for group, _ in indexed]
        held = {
            (item["pk"], item["sk"], int(json.loads(str(item["body"]))["version"]))
            for item in self._table.get_batch(keys, doing="looking for summaries")
        }
        stale = [
            told
            for told, key in zip(indexed, keys, strict=True)
            if (key["pk"], key["sk"], told[1]) not in held
        ]
        named = {
            "tenant": tenant,
            "groups": [each[0] for each in stale],
            "versions": [each[1] for each in stale],
        }

        def work(connection: PostgresConnection) -> Callable[[], int]:
            answer = connection.execute(_DROP.encode(), named)
            return lambda: answer.rowcount

        return self._transactions.run_transaction(tenant, work)


def _key(tenant: str, group: str) -> ItemKey:
    """Return where the summary lies that `search.memory_projection.summary_memory_id` names so."""
    conversation, level, first = group.removeprefix("summary:").rsplit(":", 2)
    return conversation_key(tenant, conversation, f"{SUMMARY_PREFIX}{level}#{first}")
