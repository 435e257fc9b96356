"""Whatever stream comes through whatever weather, memory is byte for byte that of one delivery in order."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from membus.conversations.conversation import Turn
from membus.core.event import Event
from membus.core.identity import Owner
from scripts.reextraction.signals import InMemorySignals
from tests.factories import NOON, a_conversation, a_server_error, a_setting, an_event, said
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.crashing import LINE_DEAD, Death, Fuse, Fused
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.support.budgets import budget
from tests.support.event_streams import NO_FAULTS, DeliveryFaults, a_turn_of_chat, deliver, stored_in_memory
from tests.support.extraction import Extraction, observant

OWNERS = [
    Owner(tenant="acme", user="ada"),
    Owner(tenant="acme", user="bob"),
    Owner(tenant="zeta", user="ada"),
]
WORDS = [
    "I live in Lisbon",
    "I live in Rome",
    "I live in Lisbon. I like tea",
    "I like Tea",
    "I like chess",
    "I like tea https://evil.example/x",
    "Nothing to see here",
]
moments = st.integers(0, 900).map(lambda seconds: NOON + timedelta(seconds=seconds))


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[Turn | None, Event]]:
    """Draw up to fourteen events of three users, some of them turns of chat with the turns that made them."""
    return [draw(_events(number)) for number in range(draw(st.integers(1, 14)))]


@st.composite
def _events(draw: st.DrawFn, number: int) -> tuple[Turn | None, Event]:
    owner, at, words = draw(st.sampled_from(OWNERS)), draw(moments), draw(st.sampled_from(WORDS))
    name, kind = (
        f"e{number}",
        draw(st.sampled_from(["said", "turn", "error", "setting", "viewed", "left alone"])),
    )
    match kind:
        case "turn":
            return a_turn_of_chat("acme", number, words)
        case "error":
            return None, a_server_error(name, at=at, status=draw(st.sampled_from([500, 503])), owner=owner)
        case "setting":
            return None, a_setting(
                name, to=draw(st.sampled_from(["dark", "light"])), owner=owner, occurred_at=at
            )
        case "viewed":
            return None, an_event(name, type="page.viewed", owner=owner, occurred_at=at)
        case _:
            return None, said(words, name, owner=owner, occurred_at=at, remember=kind == "said")


class World:
    """Extract over in-memory stores that share one fuse, with the turns of chat that have been spoken."""

    def __init__(self, stream: Sequence[tuple[Turn | None, Event]], *fuses: Fuse) -> None:
        self.calls, self._fuses = 0, list(fuses)
        clock = StoppedClock(NOON + timedelta(hours=1))
        self.conversations = InMemoryConversations(clock, a_conversation("c"))
        for turn, event in stream:
            if turn:
                self.conversations.add_turn("acme", "c", turn, request_key=event.event_id, title=None)
        episodes, signals = InMemoryEpisodes(), InMemorySignals()
        facts, held = InMemoryFacts(episodes), InMemoryReviewQueue(clock)
        self._bare = Extraction(
            observant(), episodes=episodes, facts=facts, signals=signals, review_queue=held
        )
        fresh = InMemoryUnprocessedMessages(self.conversations)
        parts = (episodes, facts, signals, held, fresh)
        names = ("episodes", "facts", "signals", "review_queue", "unprocessed")
        fused: dict[str, Any] = {
            name: Fused(part, self._fuse) for name, part in zip(names, parts, strict=True)
        }
        self.extraction = Extraction(observant(), **fused)

    def bytes(self) -> bytes:
        assert self.extraction.poison_messages.parked == self.extraction.dead_letters.parked == []
        return stored_in_memory(self._bare, self.conversations)

    def _fuse(self) -> Fuse:
        """Count the call, and hand out the fuse in use: the next one once it has blown."""
        self.calls += 1
        while self._fuses and self._fuses[0].blown:
            self._fuses.pop(0)
        return self._fuses[0] if self._fuses else Fuse()


def once(stream: Sequence[tuple[Turn | None, Event]]) -> World:
    world = World(stream)
    deliver(world.extraction, [event for _, event in stream], NO_FAULTS)
    return world


fuses = st.builds(Fuse, st.integers(1, 30), after=st.booleans(), fault=st.sampled_from([LINE_DEAD, Death()]))


@settings(max_examples=budget(40, nightly=150), suppress_health_check=list(HealthCheck))
@given(stream=streams(), seed=st.integers(1, 10**6), blowing=st.lists(fuses, max_size=4))
def test_any_stream_stores_the_bytes_of_one_delivery_in_order(
    stream: list[tuple[Turn | None, Event]], seed: int, blowing: list[Fuse]
) -> None:
    world = World(stream, *blowing)

    deliver(world.extraction, [event for _, event in stream], DeliveryFaults(copies=5, seed=seed))

    assert world.bytes() == once(stream).bytes()


STREAM: list[tuple[Turn | None, Event]] = [
    (None, said("I live in Lisbon. I like tea", "s1")),
    (None, said("I like tea https://evil.example/x", "s2")),
    (None, said("I live in Rome", "s3", remember=False)),
    (None, a_setting("t1")),
    *((None, a_server_error(f"r{n}", at=NOON + timedelta(minutes=n))) for n in range(3)),
    (None, an_event("v1", type="page.viewed", payload={})),
    a_turn_of_chat("acme", 7, "I live in Oslo"),
    a_turn_of_chat("acme", 8, "Nothing to see here"),
]


@pytest.mark.parametrize("fault", [LINE_DEAD, Death()], ids=["line dead", "process dead"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_crash_at_any_call_of_any_store_leaves_no_difference(fault: BaseException, *, after: bool) -> None:
    reference = once(STREAM).bytes()
    whole = World(STREAM)
    deliver(whole.extraction, [event for _, event in STREAM], DeliveryFaults())
    assert whole.calls > len(STREAM) * 2

    for at in range(1, whole.calls + 1):
        world = World(STREAM, Fuse(at, after=after, fault=fault))
        deliver(world.extraction, [event for _, event in STREAM], DeliveryFaults())
        assert world.bytes() == reference, f"a crash at call {at}"


def test_stream_stores_every_kind_of_item() -> None:
    world = once(STREAM)

    text = world.bytes().decode()

    assert all(
        f'"{part}": {{"' in text
        for part in ("profiles", "facts", "observations", "episodes", "signals", "held")
    )
    assert '"fresh": {}' in text or '"fresh"' not in text
