"""Two devices in one conversation.

Off, cold, evicted, stale and unreachable, the hot tier changes no answer.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from membus.conversations.cache import CachingConversations
from membus.conversations.cache_records import CachedWindow
from membus.conversations.conversation import Conversation, Message, Turn
from membus.conversations.valkey import ValkeyCache, connect_valkey
from tests.factories import ADA, NOON, a_conversation, a_turn
from tests.fakes.cache import InMemoryConversationCache
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.support.budgets import machine_settings
from tests.support.redis_server import RedisServer, redis_server

C1 = a_conversation().conversation_id
LIMIT = 6
borders = st.one_of(st.none(), st.integers(0, 9).map(lambda place: f"{place * 1_000:022d}USER"))
"""Where a window may begin: behind a message, or not at all."""


class OvertakenConversations(InMemoryConversations):
    """A store in which another device may be faster.

    `between` runs once, behind the next read of that name.
    """

    between: Callable[[], object] | None = None
    behind = "conversation"

    def get_conversation(self, tenant: str, conversation_id: str) -> Conversation:
        found = super().get_conversation(tenant, conversation_id)
        self._overtake("conversation")
        return found

    def list_recent_messages(
        self, tenant: str, conversation_id: str, *, limit: int, after: str | None = None
    ) -> list[Message]:
        found = super().list_recent_messages(tenant, conversation_id, limit=limit, after=after)
        self._overtake("recent")
        return found

    def _overtake(self, read: str) -> None:
        if self.between and read == self.behind:
            between, self.between = self.between, None
            between()


class Devices(RuleBasedStateMachine):
    """Each device stores its turn and brings the window up to date, and anything may happen between the two."""

    @initialize()
    def begin(self) -> None:
        self.store = OvertakenConversations(StoppedClock(), a_conversation())
        self.tier: Any = self.make_tier()
        self.hot = CachingConversations(self.store, self.tier)
        self.late: list[Turn] = []
        self.reloads: list[tuple[int, list[Message]]] = []
        self.number = 500

    def make_tier(self) -> Any:
        return InMemoryConversationCache()

    def _store(self, place: int) -> Turn:
        """Store a turn that was said at `place`: before or after what is there."""
        self.number += 1
        turn = a_turn(place * 1_000 + self.number, content=f"turn {self.number}")
        self.store.add_turn(ADA.tenant, C1, turn, request_key=str(self.number), title=None)
        return turn

    @rule(place=st.integers(0, 9))
    def say(self, place: int) -> None:
        self.hot.cache_turn(ADA.tenant, C1, self._store(place))

    @rule(place=st.integers(0, 9))
    def say_and_be_slow(self, place: int) -> None:
        self.late.append(self._store(place))

    @rule(which=st.integers(0, 9))
    def catch_up(self, which: int) -> None:
        if self.late:
            self.hot.cache_turn(ADA.tenant, C1, self.late.pop(which % len(self.late)))

    @rule()
    def begin_to_reload(self) -> None:
        """Read the count, then be overtaken before the messages are read."""
        self.reloads.append((self.store.get_conversation(ADA.tenant, C1).message_count, []))

    @rule(which=st.integers(0, 9), late=st.booleans())
    def end_to_reload(self, which: int, late: bool) -> None:  # noqa: FBT001
        if not self.reloads:
            return
        stored, read = self.reloads.pop(which % len(self.reloads))
        messages = read or self.store.list_recent_messages(ADA.tenant, C1, limit=LIMIT)
        if late and not read:
            self.reloads.append((stored, messages))
        else:
            window = {"tenant_id": ADA.tenant, "conversation_id": C1, "stored": stored, "limit": LIMIT}
            self.tier.put(CachedWindow.model_validate({**window, "messages": messages}))

    @rule(limit=st.integers(1, LIMIT), after=borders)
    def read(self, limit: int, after: str | None = None) -> None:
        read = self.hot.list_recent_messages(ADA.tenant, C1, limit=limit, after=after)
        assert read == self.store.list_recent_messages(ADA.tenant, C1, limit=limit, after=after)

    @rule(place=st.integers(0, 9), says=st.booleans(), behind=st.sampled_from(["conversation", "recent"]))
    def read_and_be_overtaken(self, place: int, says: bool, behind: str) -> None:  # noqa: FBT001
        """Another device stores a turn, slowly or not, while this one reads."""
        self.store.behind = behind
        self.store.between = partial(self.say if says else self.say_and_be_slow, place=place)
        self.hot.list_recent_messages(ADA.tenant, C1, limit=LIMIT)
        self.store.between = None

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
            self.read(LIMIT)


class DevicesOverRedis(Devices):
    """The same over a real Redis that is killed in mid-run; it comes back empty."""

    server: RedisServer

    def make_tier(self) -> Any:
        self.server.start()
        return ValkeyCache(lambda: connect_valkey(self.server.url, cluster=False), lambda _: None)

    @rule()
    def go_away(self) -> None:
        self.server.kill()

    @rule()
    def come_back(self) -> None:
        self.server.start()
        self.tier._away_until = 0.0


TestDevices = Devices.TestCase
TestDevices.settings = machine_settings(60, nightly=300, steps=30)


@pytest.fixture(scope="module", autouse=True)
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with redis_server(tmp_path_factory.mktemp("redis") / "home") as DevicesOverRedis.server:
        yield


TestDevicesOverRedis = DevicesOverRedis.TestCase
TestDevicesOverRedis.settings = machine_settings(8, nightly=30, steps=30)


@pytest.mark.parametrize("behind", ["conversation", "recent"])
def test_turn_stored_during_a_reload_of_another_device_is_visible(behind: str) -> None:
    store = OvertakenConversations(StoppedClock(), a_conversation())
    hot = CachingConversations(store, InMemoryConversationCache())
    store.behind = behind
    store.between = lambda: store.add_turn(ADA.tenant, C1, a_turn(1), request_key="1", title=None)

    hot.list_recent_messages(ADA.tenant, C1, limit=LIMIT)
    assert (
        hot.list_recent_messages(ADA.tenant, C1, limit=LIMIT)
        == store.list_recent_messages(ADA.tenant, C1, limit=LIMIT)
        != []
    )


def test_turn_that_a_reload_brought_is_not_counted_again() -> None:
    store = InMemoryConversations(StoppedClock(), a_conversation())
    slow = CachingConversations(store, InMemoryConversationCache())
    store.add_turn(ADA.tenant, C1, a_turn(1), request_key="1", title=None)
    slow.list_recent_messages(
        ADA.tenant, C1, limit=LIMIT
    )  # another device reloads before this one has told the tier
    slow.cache_turn(ADA.tenant, C1, a_turn(1))
    store.add_turn(ADA.tenant, C1, a_turn(2), request_key="2", title=None)

    assert len(slow.list_recent_messages(ADA.tenant, C1, limit=LIMIT)) == 4


def test_turn_before_the_window_start_is_not_cached() -> None:
    store = InMemoryConversations(StoppedClock(), a_conversation())
    hot, border = CachingConversations(store, InMemoryConversationCache()), a_turn(5).assistant.message_id
    store.add_turn(ADA.tenant, C1, a_turn(1), request_key="1", title=None)
    hot.list_recent_messages(
        ADA.tenant, C1, limit=LIMIT, after=border
    )  # counts the turn, and does not hold it
    hot.cache_turn(ADA.tenant, C1, a_turn(1))
    store.add_turn(ADA.tenant, C1, a_turn(6), request_key="6", title=None)

    assert len(hot.list_recent_messages(ADA.tenant, C1, limit=LIMIT, after=border)) == 2


def test_cached_conversation_is_read_without_reading_its_messages() -> None:
    """The second read and every read after a turn of this device ask the store for the count alone."""
    store = InMemoryConversations(StoppedClock(), a_conversation())
    hot = CachingConversations(store, InMemoryConversationCache())
    hot.add_turn(ADA.tenant, C1, a_turn(1), request_key="1", title=None)
    first = hot.list_recent_messages(ADA.tenant, C1, limit=80)
    hot.add_turn(ADA.tenant, C1, a_turn(2), request_key="2", title=None)
    store.list_recent_messages = lambda *_, **__: pytest.fail("the messages were read")  # type: ignore[method-assign]

    second = hot.list_recent_messages(ADA.tenant, C1, limit=80)

    assert (len(first), len(second)) == (2, 4)
    assert second[-1].created_at == NOON + timedelta(minutes=2, seconds=2)


def test_pending_message_is_not_cached() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    hot, turn = CachingConversations(store, tier), a_turn(1)
    pending = turn.model_copy(update={"assistant": turn.assistant.model_copy(update={"status": "pending"})})

    hot.list_recent_messages(ADA.tenant, C1, limit=80)
    hot.add_turn(ADA.tenant, C1, pending, request_key="1", title=None)
    assert tier.kept == {}
    hot.list_recent_messages(ADA.tenant, C1, limit=80)
    assert tier.kept == {}


def test_deleted_conversation_leaves_the_cache_at_once() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    hot = CachingConversations(store, tier)
    hot.list_recent_messages(ADA.tenant, C1, limit=80)
    assert tier.kept

    hot.delete_conversation(ADA.tenant, C1)
    assert tier.kept == {}
    assert hot.list_recent_messages(ADA.tenant, C1, limit=80) == store.list_recent_messages(
        ADA.tenant, C1, limit=80
    )


def test_unavailable_cache_costs_no_read_of_the_message_count() -> None:
    store, tier = InMemoryConversations(StoppedClock(), a_conversation()), InMemoryConversationCache()
    tier.is_unavailable = True
    store.get_conversation = lambda *_: pytest.fail("the count was read")  # type: ignore[method-assign]

    assert CachingConversations(store, tier).list_recent_messages(ADA.tenant, C1, limit=80) == []
