"""Promised replies in a dictionary, beside the conversations they belong to."""

from dataclasses import dataclass
from datetime import datetime

from membus.conversations.reply_jobs import ReplyFailure, ReplyJob, StepProgress
from membus.core.clock import Clock
from membus.core.errors import NotFoundError, UnavailableError
from tests.fakes.conversations import InMemoryConversations

Key = tuple[str, str, str]


@dataclass
class Work:
    worker: str = ""
    until: datetime | None = None


class InMemoryReplyJobs:
    def __init__(self, conversations: InMemoryConversations, clock: Clock) -> None:
        self._conversations, self._clock = conversations, clock
        self._known: dict[Key, ReplyJob] = {}
        self._work: dict[Key, Work] = {}
        self.kept: dict[Key, StepProgress] = {}

    def create_job(self, tenant: str, conversation_id: str, reply: ReplyJob, *, request_key: str) -> ReplyJob:
        self._conversations.get_conversation(tenant, conversation_id)
        first = self._known.get((tenant, conversation_id, request_key))
        if first and first.until > self._clock():
            return first
        self._known[tenant, conversation_id, request_key] = reply
        self._work[tenant, conversation_id, request_key] = Work()
        return reply

    def acquire_lease(
        self, tenant: str, conversation_id: str, *, request_key: str, worker: str, until: datetime
    ) -> str | None:
        key = tenant, conversation_id, request_key
        if key not in self._known:
            raise NotFoundError("no such promise")
        work = self._work[key]
        if work.until and work.until > self._clock() and work.worker != worker:
            raise UnavailableError("this turn is being worked on", code="in_progress")
        self._work[key] = Work(worker, until)
        return self.kept[key].digest if key in self.kept else None

    def release_lease(self, tenant: str, conversation_id: str, *, request_key: str) -> None:
        self._work[tenant, conversation_id, request_key] = Work()

    def save_progress(
        self, tenant: str, conversation_id: str, progress: StepProgress, *, request_key: str
    ) -> None:
        if (tenant, conversation_id, request_key) in self._known:
            self.kept[tenant, conversation_id, request_key] = progress

    def get_progress(
        self, tenant: str, conversation_id: str, digest: str, *, request_key: str
    ) -> StepProgress | None:
        kept = self.kept.get((tenant, conversation_id, request_key))
        return kept if kept and kept.digest == digest else None

    def finish_job(
        self,
        tenant: str,
        conversation_id: str,
        *,
        request_key: str,
        became: str | None = None,
        failed: ReplyFailure | None = None,
    ) -> None:
        key = tenant, conversation_id, request_key
        if known := self._known.get(key):
            until = min(known.until, self._clock())
            self._known[key] = known.model_copy(update={"until": until, "became": became, "failed": failed})
            self._work[key] = Work()

    def find_by_request(self, tenant: str, conversation_id: str, *, request_key: str) -> ReplyJob | None:
        return self._known.get((tenant, conversation_id, request_key))

    def get_by_message(self, tenant: str, conversation_id: str, message_id: str) -> ReplyJob:
        for (owner, where, _), reply in self._known.items():
            if (owner, where, reply.message_id) == (tenant, conversation_id, message_id):
                return reply
        raise NotFoundError("no such message")
