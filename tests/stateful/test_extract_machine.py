"""Whatever the queue does, the same events lead to the same memory.

Duplicates, disorder, batches, crashes.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from membus.core.event import Event
from membus.core.identity import Owner
from membus.facts.fact import Fact
from scripts.reextraction.signals import InMemorySignals
from tests.factories import NOON, a_server_error, a_setting, an_event, said
from tests.fakes.crashing import LINE_DEAD, Death, Fuse, Fused
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.support.budgets import machine_settings
from tests.support.extraction import Extraction, a_message, observant

if TYPE_CHECKING:
    from functions.extract.schemas import QueueMessage

OWNERS = [
    Owner(tenant="acme", user="ada"),
    Owner(tenant="acme", user="bob"),
    Owner(tenant="zeta", user="ada"),
]
WORDS = [
    "I live in Lisbon",
    "I live in Rome",
    "I live in Lisbon. I like tea",
    "I like tea",
    "I like Tea",
    "I like chess",
    "Nothing to see here",
]

moments = st.integers(0, 900).map(lambda seconds: NOON + timedelta(seconds=seconds))


@st.composite
def events(draw: st.DrawFn) -> Event:
    event_id = f"e{draw(st.integers(0, 10_000))}"
    owner, at = draw(st.sampled_from(OWNERS)), draw(moments)
    kind = draw(st.sampled_from(["said", "error", "setting", "viewed", "left alone"]))
    match kind:
        case "error":
            return a_server_error(event_id, at=at, status=draw(st.sampled_from([500, 503])), owner=owner)
        case "setting":
            return a_setting(
                event_id, to=draw(st.sampled_from(["dark", "light"])), owner=owner, occurred_at=at
            )
        case "viewed":
            return an_event(event_id, type="page.viewed", owner=owner, occurred_at=at)
        case _:
            remember = kind == "said"
            return said(
                draw(st.sampled_from(WORDS)), event_id, owner=owner, occurred_at=at, remember=remember
            )


class Deliveries(RuleBasedStateMachine):
    """Events are sent once and delivered any number of times; `waiting` holds what the queue still owes."""

    sent = Bundle("sent")

    @initialize()
    def begin(self) -> None:
        self.fuse = Fuse()
        episodes = InMemoryEpisodes()
        self.extraction = Extraction(
            observant(),
            episodes=cast("Any", Fused(episodes, self._fuse)),
            facts=cast("Any", Fused(InMemoryFacts(episodes), self._fuse)),
            signals=cast("Any", Fused(InMemorySignals(), self._fuse)),
        )
        self.events: dict[tuple[Owner, str], Event] = {}
        self.waiting: list[QueueMessage] = []
        self.number = 0

    @rule(target=sent, batch=st.lists(events(), min_size=1, max_size=6))
    def send(self, batch: list[Event]) -> Any:
        new = {identity: event for event in batch if (identity := identity_of(event)) not in self.events}
        self.events |= new
        for event in new.values():
            self._queue(event)
        return multiple(*new.values())

    @rule(event=sent, copies=st.integers(1, 4))
    def repeat(self, event: Event, copies: int) -> None:
        for _ in range(copies):
            self._queue(event)

    @rule(order=st.randoms(use_true_random=False), size=st.integers(1, 10))
    def deliver(self, order: Any, size: int) -> None:
        order.shuffle(self.waiting)
        self._deliver(size)

    @rule(
        order=st.randoms(use_true_random=False),
        size=st.integers(1, 10),
        at=st.integers(1, 25),
        after=st.booleans(),
        fault=st.sampled_from([LINE_DEAD, Death()]),
    )
    def deliver_through_a_crash(
        self,
        order: Any,
        size: int,
        at: int,
        after: bool,  # noqa: FBT001
        fault: BaseException,
    ) -> None:
        order.shuffle(self.waiting)
        self.fuse = Fuse(at, after=after, fault=fault)
        self._deliver(size)
        self.fuse = Fuse()

    @invariant()
    def nobody_knows_more_than_they_said(self) -> None:
        for owner in OWNERS:
            mine = {
                event.event_id for event in self.events.values() if event.owner == owner and event.remember
            }
            assert {
                seen.provenance.event_id for seen in self.extraction.facts.list_observations(owner)
            } <= mine

    def teardown(self) -> None:
        if not hasattr(self, "events"):
            return
        while self.waiting:
            self._deliver(10)
        assert self.extraction.poison_messages.parked == []
        reference = Extraction(observant())
        for event in self.events.values():
            assert reference.send(event) == []
        for owner in OWNERS:
            assert state(self.extraction, owner) == state(reference, owner)

    def _fuse(self) -> Fuse:
        return self.fuse

    def _queue(self, event: Event) -> None:
        self.number += 1
        self.waiting.append(a_message(event, f"m{self.number}"))

    def _deliver(self, size: int) -> None:
        batch, self.waiting = self.waiting[:size], self.waiting[size:]
        try:
            failed = set(self.extraction.deliver(*batch))
        except Death:
            failed = {message.message_id for message in batch}
        again = [message for message in batch if message.message_id in failed]
        self.waiting += [
            message.model_copy(update={"attributes": {"ApproximateReceiveCount": message.receive_count + 1}})
            for message in again
        ]


def identity_of(event: Event) -> tuple[Owner, str]:
    return event.owner, event.event_id


def state(extraction: Extraction, owner: Owner) -> tuple[list[Fact], list[Any]]:
    """Return all that is known of somebody, but for how many writes it took."""
    return list(extraction.facts.get_profile(owner).facts), extraction.facts.list_observations(owner)


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = machine_settings(20, nightly=60, steps=25)
