"""What an event leaves beside its episode.

Its identity, with what a model proposed, and the state of its session.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.dynamo_removal import WORKERS
from membus.adapters.episode_items import identity_key
from membus.adapters.s3_versions import S3ObjectVersions
from membus.adapters.state_items import session_prefix, state_key
from membus.domain.event import FORGOTTEN
from membus.domain.state import AgentSession

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class EventEraser:
    """`kept_until` is when nothing is left that could bring an erased event back.

    Its bare id is remembered so long.
    """

    def __init__(self, table: "Table", versions: S3ObjectVersions, kept_until: datetime) -> None:
        self._table, self._versions = table, versions
        self._expires_at = int(kept_until.timestamp())

    def blank(self, tenant: str, event_ids: Iterable[str]) -> int:
        """Leave of each event that its id was seen: what comes back under it is dropped."""

        def forget(event_id: str) -> None:
            mark: Any = identity_key(tenant, event_id) | {
                "extracted": FORGOTTEN,
                "expires_at": self._expires_at,
            }
            with translate_dynamodb_errors("erasing an event's identity"):
                self._table.put_item(Item=mark)

        ids = list(event_ids)
        with ThreadPoolExecutor(WORKERS) as hands:
            list(hands.map(forget, ids))
        return len(ids)

    def drop_states(self, sessions: Iterable[AgentSession]) -> int:
        """Remove the states of sessions with every large text that any of their writes left."""
        removed = 0
        for session in set(sessions):
            self._versions.purge(f"spill/{session_prefix(session)}")
            with translate_dynamodb_errors("erasing a state"):
                answer: Any = self._table.delete_item(Key=state_key(session), ReturnValues="ALL_OLD")
            gone = answer.get("Attributes", {})
            if "spilled" in gone:
                self._versions.purge(f"spill/{gone['spilled']}")
            removed += bool(gone)
        return removed
