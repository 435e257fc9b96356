"""Fresh words, pending results and entities.

Off, cold, evicted, stale and unreachable, the hot tier changes none.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from functions.chat.context import assemble_context
from membus.conversations.cache import CachingConversations, CachingReplyJobs, CachingUnprocessedMessages
from membus.conversations.cache_records import CachedUnprocessed
from membus.conversations.conversation import Step
from membus.conversations.reply_jobs import JOB_LIFETIME, ReplyJob, RequestRef, StepProgress
from membus.conversations.unprocessed_messages import UnprocessedMessage
from membus.conversations.valkey import ValkeyCache, connect_valkey
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from membus.llm.prompt import ToolCall, ToolResult
from tests.factories import ADA, NOON, a_conversation, a_turn
from tests.fakes.cache import InMemoryConversationCache
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.reply_jobs import InMemoryReplyJobs
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.support.budgets import machine_settings
from tests.support.contexts import sources
from tests.support.redis_server import RedisServer, redis_server

C1 = a_conversation().conversation_id
THINGS = (
    "order 4417",
    "order 9321",
    "mail me at ada@example.org",
    "the file /srv/app/main.py",
    "by the way, my cat",
)
KEYS = st.sampled_from(("k1", "k2"))


def a_job(clock: StoppedClock) -> ReplyJob:
    return ReplyJob(message_id="m", request="asked", since=clock(), until=clock() + JOB_LIFETIME)


class Parts(RuleBasedStateMachine):
    """One device goes through the tier, others write to the store alone.

    Copies are put back late and stale.
    """

    @initialize()
    def begin(self) -> None:
        self.clock = StoppedClock()
        self.store = InMemoryConversations(self.clock, a_conversation())
        self.plain, self.jobs = InMemoryUnprocessedMessages(self.store), InMemoryReplyJobs(self.clock)
        self.tier: Any = self.make_tier()
        self.hot = CachingConversations(self.store, self.tier)
        self.fresh = CachingUnprocessedMessages(self.plain, self.tier, self.clock)
        self.cached_jobs = CachingReplyJobs(self.jobs, self.tier)
        self.copies: list[tuple[str | None, list[UnprocessedMessage]]] = []
        self.number = 0
        for key in ("k1", "k2"):
            self.cached_jobs.claim_job(RequestRef(ADA.tenant, C1, key), a_job(self.clock))

    def make_tier(self) -> Any:
        return InMemoryConversationCache()

    @rule(what=st.sampled_from(THINGS), through=st.booleans())
    def say(self, what: str, through: bool) -> None:  # noqa: FBT001
        """Say something on this device, or on another that leaves the tier alone."""
        self.number += 1
        store = self.hot if through else self.store
        store.add_turn(
            ADA.tenant, C1, a_turn(self.number, content=what), request_key=str(self.number), title=None
        )

    @rule(back=st.integers(0, 3))
    def learn(self, back: int) -> None:
        self.plain.mark_processed(ADA, [a_turn(self.number - back).event_id] if self.number > back else [])

    @rule(key=KEYS, through=st.booleans(), words=st.integers(1, 9))
    def use_a_tool(self, key: str, through: bool, words: int) -> None:  # noqa: FBT001
        step = Step(
            calls=(ToolCall(call_id="1", name="search_memory", arguments={"n": self.number}),),
            results=(ToolResult(call_id="1", content="word " * words),),
        )
        made = StepProgress(request="asked", steps=(step,), usage=TokenUsage(input=words, output=1))
        jobs = self.cached_jobs if through else self.jobs
        jobs.save_progress(RequestRef(ADA.tenant, C1, key), made)

    @rule()
    def begin_to_reload(self) -> None:
        """Read the stamp and the words in the tier's order, to be put there late."""
        stamp = self.plain.get_version_token(ADA)
        self.copies.append((stamp, self.plain.list_newest(ADA)))

    @rule(which=st.integers(0, 9))
    def end_to_reload(self, which: int) -> None:
        if self.copies:
            stamp, words = self.copies.pop(which % len(self.copies))
            if stamp is not None:
                self.tier.put(CachedUnprocessed(owner=ADA, stamp=stamp, words=tuple(words)))

    @rule(minutes=st.integers(1, 400))
    def wait(self, minutes: int) -> None:
        self.clock.advance(timedelta(minutes=minutes))

    @rule()
    def read(self) -> None:
        assert self.fresh.list_newest(ADA) == self.plain.list_newest(ADA)
        for key in ("k1", "k2"):
            request = RequestRef(ADA.tenant, C1, key)
            if kept := self.jobs.kept.get(request):
                assert self.cached_jobs.get_progress(request, kept.digest) == kept
        messages = self.hot.list_recent_messages(ADA.tenant, C1, limit=80)
        folded = self.tier.get_entities(ADA.tenant, C1)
        with_tier = assemble_context(sources(messages=messages, entities=folded), "And it?", NOON)
        assert with_tier == assemble_context(
            sources(messages=self.store.list_recent_messages(ADA.tenant, C1, limit=80)), "And it?", NOON
        )

    @rule()
    def evict(self) -> None:
        self.tier.evict_conversation(ADA.tenant, C1)

    @rule()
    def go_away(self) -> None:
        self.tier.is_unavailable = True

    @rule()
    def come_back(self) -> None:
        self.tier.is_unavailable = False

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.come_back()
            self.read()


class PartsOverRedis(Parts):
    """The same over a real Redis that is killed in mid-run; it comes back empty."""

    server: RedisServer

    def make_tier(self) -> Any:
        self.server.kill()  # the run before has cached other words under the same ids
        self.server.start()
        return ValkeyCache(lambda: connect_valkey(self.server.url, cluster=False), lambda _: None)

    @rule()
    def go_away(self) -> None:
        self.server.kill()

    @rule()
    def come_back(self) -> None:
        self.server.start()
        self.tier._away_until = 0.0


TestParts = Parts.TestCase
TestParts.settings = machine_settings(40, nightly=150, steps=30)


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with redis_server(tmp_path_factory.mktemp("redis") / "home") as PartsOverRedis.server:
        yield


TestPartsOverRedis = PartsOverRedis.TestCase
TestPartsOverRedis.settings = machine_settings(5, nightly=15, steps=20)


class Counting(InMemoryUnprocessedMessages):
    reads = 0

    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        self.reads += 1
        return super().list_newest(owner)


def test_unprocessed_messages_are_cached_until_they_are_processed() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    words = Counting(store)
    hot = CachingUnprocessedMessages(words, tier, StoppedClock())
    store.add_turn(ADA.tenant, C1, a_turn(1), request_key="1", title=None)
    first = hot.list_newest(ADA)
    reads = words.reads

    assert hot.list_newest(ADA) == first != []
    assert words.reads == reads

    hot.mark_processed(ADA, [a_turn(1).event_id])
    assert hot.list_newest(ADA) == []


def test_user_without_unprocessed_messages_is_read_once_and_not_cached() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    words = Counting(store)

    assert CachingUnprocessedMessages(words, tier, StoppedClock()).list_newest(ADA) == []
    assert (words.reads, tier.kept) == (1, {})


def test_stored_turn_updates_the_cached_entities() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    hot = CachingConversations(store, tier)
    hot.list_recent_messages(ADA.tenant, C1, limit=80)
    hot.add_turn(ADA.tenant, C1, a_turn(1, content="Where is order 4417?"), request_key="1", title=None)

    folded = tier.get_entities(ADA.tenant, C1)

    assert folded is not None
    assert folded.matches_messages(store.list_recent_messages(ADA.tenant, C1, limit=80))
    assert "4417" in folded.active.prompt_block


def test_progress_is_read_from_the_store_after_the_cache_lost_it() -> None:
    clock, tier, request = StoppedClock(), InMemoryConversationCache(), RequestRef(ADA.tenant, C1, "k")
    jobs = InMemoryReplyJobs(clock)
    hot = CachingReplyJobs(jobs, tier)
    hot.claim_job(request, a_job(clock))
    made = StepProgress(request="asked", steps=(), usage=TokenUsage(input=1, output=1))
    hot.save_progress(request, made)
    kept = jobs.kept.copy()
    jobs.kept.clear()
    assert hot.get_progress(request, made.digest) == made

    tier.kept.clear()
    assert hot.get_progress(request, made.digest) is None
    jobs.kept |= kept
    assert hot.get_progress(request, made.digest) == made
    assert tier.get_progress(ADA.tenant, C1, "k") == made
