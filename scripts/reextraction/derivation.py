"""Facts as they add up in memory: what a replay learns into, beside what is stored.

Derive one user's facts anew from their episodes, and compare them with what is stored.

It is the learner itself that reads, into a draft: what a rebuild yields is what the queue would have. An
event that was read at the same version before costs no question; corrections are events, so they are learned
like all others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from functions.extract.facts import extract_facts
from functions.extract.model_answers import ask_model
from functions.extract.ports import OVER_BUDGET, FactPorts
from membus.core.errors import BudgetError, MembusError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.episodes.model import ReadingCost
from membus.facts.candidates import EventAnswer
from membus.facts.fact import Fact, ObservationHistory, fold, group_by_key
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit
from membus.facts.profile import Profile
from membus.facts.resolution import in_learning_order


class DraftFacts:
    """One user's observations, the facts they add up to, what the models were newly asked, and what nobody paid for."""

    def __init__(self, owner: Owner) -> None:
        self._profile = Profile(owner=owner)
        self._seen: dict[tuple[str, str], Observation] = {}
        self._facts: dict[str, Fact] = {}
        self.answers: dict[str, list[EventAnswer]] = {}
        self.shares: dict[str, ReadingCost] = {}
        self.unpaid: set[str] = set()

    def get_profile(self, owner: Owner) -> Profile:
        return self._profile

    def get_full_profile(self, owner: Owner) -> Profile:
        return self._profile.model_copy(update={"facts": tuple(self._facts.values())})

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        return [seen for seen in self._seen.values() if key in {None, seen.key}]

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        return ObservationHistory(tuple(in_learning_order(self.list_observations(owner, key))))

    def commit(self, learned: FactCommit) -> None:
        self._seen |= {(seen.key, seen.provenance.event_id): seen for seen in learned.observations}
        self._facts |= {fact.key: fact for fact in learned.facts}
        if learned.facts:
            self._profile = learned.profile
        self.shares |= learned.shares
        if learned.extractor == OVER_BUDGET:
            self.unpaid |= {each.event.event_id for each in learned.events}
        if learned.asked:
            self.answers |= {event_id: list(given) for event_id, given in learned.asked.answers.items()}


BATCH_EVENTS = 10
"""Events learned at once, as the queue hands them out."""
OVER_BUDGET_ERROR = BudgetError("the budget of this tenant is spent")


@dataclass(frozen=True)
class DerivedFacts:
    """What a user's events teach.

    `read` were understood, `unread` say why not; `answers` are new ones, `shares` what they took.
    """

    owner: Owner
    observations: tuple[Observation, ...]
    read: frozenset[str]
    unread: dict[str, MembusError] = field(default_factory=dict)
    answers: dict[str, list[EventAnswer]] = field(default_factory=dict)
    shares: dict[str, ReadingCost] = field(default_factory=dict)

    def merge_with(self, stored: Sequence[Observation]) -> list[Observation]:
        """Return what the user's observations shall be.

        New ones of the events that were read, old ones of others.

        What was not read (the model was down, or was not to be asked) keeps what it taught before.
        """
        kept = [seen for seen in stored if seen.provenance.event_id not in self.read]
        return [*kept, *self.observations]


@dataclass(frozen=True)
class FactDifference:
    """What would change in the facts that hold: by key, the value before and after."""

    added: dict[str, str]
    lost: dict[str, str]
    changed: dict[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.lost or self.changed)


def derive_facts(
    owner: Owner, events: Iterable[RecordedEvent], *, ports_for: Callable[[DraftFacts], FactPorts]
) -> DerivedFacts:
    """Extract the facts of a user's events, in the order membus learned of them, as if for the first time."""
    ordered = iter(sorted(events, key=lambda each: (each.learned_at, each.event.event_id)))
    draft = DraftFacts(owner)
    ports = ports_for(draft)
    read: set[str] = set()
    unread: dict[str, MembusError] = {}
    while batch := list(islice(ordered, BATCH_EVENTS)):
        ids = {each.event_id for each in batch}
        unread |= extract_facts(batch, ask_model(batch, ports, redelivered=ids), ports)
        unread |= dict.fromkeys(draft.unpaid, OVER_BUDGET_ERROR)
        read |= ids - unread.keys()
    return DerivedFacts(
        owner, tuple(draft.list_observations(owner)), frozenset(read), unread, draft.answers, draft.shares
    )


def fold_facts(observations: Iterable[Observation]) -> dict[str, Fact]:
    """Return the fact of every key, retracted ones too."""
    folded = {key: fold(seen) for key, seen in group_by_key(observations).items()}
    return {key: fact for key, fact in folded.items() if fact}


def compare_facts(before: Iterable[Observation], after: Iterable[Observation]) -> FactDifference:
    was, will_be = _current_values(before), _current_values(after)
    return FactDifference(
        added={key: will_be[key] for key in sorted(will_be.keys() - was.keys())},
        lost={key: was[key] for key in sorted(was.keys() - will_be.keys())},
        changed={
            key: (was[key], will_be[key])
            for key in sorted(was.keys() & will_be.keys())
            if was[key] != will_be[key]
        },
    )


def _current_values(observations: Iterable[Observation]) -> dict[str, str]:
    return {key: fact.value or "" for key, fact in fold_facts(observations).items() if not fact.is_retracted}
