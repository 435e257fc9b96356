"""Fresh words, pending results and entities with the hot tier in front: nearest wins, where it is exact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from membus.domain.entities import EntitySnapshot
from membus.domain.fresh import UnprocessedMessage
from membus.domain.hot_records import CachedProgress, CachedUnprocessed
from membus.domain.identity import Owner
from membus.domain.pending import ReplyFailure, ReplyJob, StepProgress
from membus.ports.clock import Clock
from membus.ports.fresh import UnprocessedMessages
from membus.ports.hot_tier import ConversationCache
from membus.ports.pending import ReplyJobStore


class NoEntityCache:
    """Entities where there is no tier: nobody has folded anything."""

    def entities(self, tenant: str, conversation_id: str) -> EntitySnapshot | None:  # noqa: ARG002
        return None


@dataclass(frozen=True)
class CachingUnprocessedMessages:
    """FreshWords of a user who has just spoken cost one small read in each further turn, until they have been learned.

    Whoever has nothing fresh, which is the rule, costs what it costs without a tier.
    """

    store: UnprocessedMessages
    tier: ConversationCache
    clock: Clock

    def newest(self, owner: Owner) -> list[UnprocessedMessage]:
        held = self.tier.fresh(owner)
        if held and held.stamp == self.store.stamp(owner):
            return held.unexpired(self.clock())
        words = self.store.newest(owner)
        if not words or self.tier.away:
            return words
        # Before the words, never after: a stamp that is older than its words can only spoil them, not hide
        # one.
        stamp = self.store.stamp(owner)
        if stamp is None:
            return words
        words = self.store.newest(owner)
        self.tier.keep(CachedUnprocessed(owner=owner, stamp=stamp, words=tuple(words)))
        return words

    def stamp(self, owner: Owner) -> str | None:
        return self.store.stamp(owner)

    def keep(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        self.store.keep(said)

    def settle(self, owner: Owner, places: Iterable[str]) -> None:
        self.store.settle(owner, places)


@dataclass(frozen=True)
class CachingReplyJobs:
    """PendingReplies whose progress is at hand for who takes a turn up within half an hour."""

    store: ReplyJobStore
    tier: ConversationCache

    def progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        held = self.tier.progress(tenant, conversation_id, request_key)
        if held and held.digest == digest:
            return held
        found = self.store.progress(tenant, conversation_id, digest, request_key=request_key)
        if found:
            self._keep(tenant, conversation_id, request_key, found)
        return found

    def advance(self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str) -> None:
        self.store.advance(tenant, conversation_id, progress, request_key=request_key)
        self._keep(tenant, conversation_id, request_key, progress)

    def _keep(self, tenant: str, conversation_id: str, request_key: str, progress: StepProgress) -> None:
        held = {"tenant_id": tenant, "conversation_id": conversation_id, "request_key": request_key}
        self.tier.keep(CachedProgress.model_validate(held | {"progress": progress}))

    def begin(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        return self.store.begin(tenant, conversation_id, reply, request_key=request_key)

    def take(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        return self.store.take(tenant, conversation_id, request_key=request_key, worker=worker, until=until)

    def put_down(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        self.store.put_down(tenant, conversation_id, request_key=request_key)

    def end(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: ReplyFailure | None = None,
    ) -> None:
        self.store.end(tenant, conversation_id, request_key=request_key, became=became, failed=failed)

    def of(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        return self.store.of(tenant, conversation_id, request_key=request_key)

    def find(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        return self.store.find(tenant, conversation_id, message_id)
