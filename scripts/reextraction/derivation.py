"""Derives one user's facts again from their episodes, into memory, and compares them with the stored ones.

The extraction code itself runs over a draft of the facts, so that the result is what the queue would have
led to. An event that was read at the same version costs no model call. Corrections are events, and
extracted like all others.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from functions.extract.facts import extract_facts
from functions.extract.model_answers import ask_model
from functions.extract.ports import FactPorts
from functions.extract.reading import OVER_BUDGET, Reading
from membus.core.errors import BudgetError, MembusError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.episodes.model import ReadingCost
from membus.facts.candidates import EventAnswer
from membus.facts.fact import Fact, ObservationHistory, fold, group_by_key
from membus.facts.observation import Observation, Trust
from membus.facts.ports import FactCommit
from membus.facts.profile import Profile
from membus.facts.resolution import in_learning_order

BATCH_EVENTS = 10
"""Events extracted at once, as the queue delivers them."""
OVER_BUDGET_ERROR = BudgetError("the budget of this tenant is spent")
FactChanges = dict[str, tuple[str | None, str | None]]
"""The value of a fact before and after, by key; None if there is no fact."""


class DraftFacts:
    """One user's facts in memory, with the model's new answers, their costs, and the events over budget."""

    def __init__(self, owner: Owner) -> None:
        self._profile = Profile(owner=owner)
        self._observations: dict[tuple[str, str], Observation] = {}
        self._facts: dict[str, Fact] = {}
        self.answers: dict[str, list[EventAnswer]] = {}
        self.costs: dict[str, ReadingCost] = {}
        self.over_budget: set[str] = set()

    def get_profile(self, owner: Owner) -> Profile:
        return self._profile

    def get_full_profile(self, owner: Owner) -> Profile:
        return self._profile.model_copy(update={"facts": tuple(self._facts.values())})

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        return [each for each in self._observations.values() if key in {None, each.key}]

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        return ObservationHistory(tuple(in_learning_order(self.list_observations(owner, key))))

    def commit(self, change: FactCommit) -> None:
        self._observations |= {(each.key, each.provenance.event_id): each for each in change.observations}
        self._facts |= {fact.key: fact for fact in change.facts}
        if change.facts:
            self._profile = change.profile
        self.costs |= change.costs
        if change.extractor == OVER_BUDGET:
            self.over_budget |= {each.event.event_id for each in change.events}
        if change.query:
            self.answers |= {event_id: list(given) for event_id, given in change.query.answers.items()}


@dataclass(frozen=True)
class DerivedFacts:
    """The facts of `read` events; `unread` events have the reason, `answers` are new, with their costs.

    `versions` are those of the instructions that each event was read by.
    """

    observations: tuple[Observation, ...]
    read: frozenset[str]
    unread: dict[str, MembusError] = field(default_factory=dict)
    answers: dict[str, list[EventAnswer]] = field(default_factory=dict)
    costs: dict[str, ReadingCost] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def answers_by_version(self) -> dict[str, dict[str, list[EventAnswer]]]:
        """Return the new answers by the version of the instructions, and by event."""
        grouped: dict[str, dict[str, list[EventAnswer]]] = {}
        for event_id, given in self.answers.items():
            grouped.setdefault(self.versions[event_id], {})[event_id] = given
        return grouped

    def merge_with(self, stored: Sequence[Observation]) -> list[Observation]:
        """Return new observations of the events that were read, and the stored ones of others.

        An event is not read if the model does not answer, or may not be asked.
        """
        kept = [each for each in stored if each.provenance.event_id not in self.read]
        return [*kept, *self.observations, *carry_corrections(stored, self.observations)]


def carry_corrections(stored: Sequence[Observation], derived: Sequence[Observation]) -> Iterator[Observation]:
    """Yield the corrections again under the keys that the values they were about have now.

    A newer version may give a value another key: C++ was `skill.c` and is `skill.c-cedb1bac`. What a person
    took back or replaced under the old key would return under the new one. Which value that was, the stored
    observations of the old key tell.
    """
    by_key, by_event = group_by_key(stored), _group_by_event(derived)
    carried: dict[str, set[str]] = {}
    known = {(each.key, each.provenance.event_id) for each in derived}
    for correction in in_learning_order(each for each in derived if each.trust is Trust.CORRECTED):
        earlier = [each for each in by_key.get(correction.key, ()) if each.learned_at < correction.learned_at]
        fact = fold(earlier)
        same = _renamed(fact, by_event) if fact else None
        keys = carried.setdefault(correction.key, set())
        keys |= {same} if same else set()
        keys |= {
            each.key
            for each in stored
            if each.provenance.event_id == correction.provenance.event_id and each.key != correction.key
        }
        for key in sorted(keys):
            is_same = key == same and fact is not None and correction.names_value_of(fact)
            if (key, correction.provenance.event_id) not in known:
                value = correction.value if is_same else None
                yield correction.model_copy(update={"key": key, "value": value})


def _renamed(fact: Fact, by_event: dict[str, list[Observation]]) -> str | None:
    """Return the key that the value of a stored fact has in the new observations of its event, if another."""
    own = by_event.get(fact.provenance.event_id, [])
    if fact.is_retracted or any(each.key == fact.key for each in own if each.names_value_of(fact)):
        return None
    return next((each.key for each in own if each.names_value_of(fact)), None)


def _group_by_event(observations: Iterable[Observation]) -> dict[str, list[Observation]]:
    grouped: dict[str, list[Observation]] = {}
    for seen in observations:
        grouped.setdefault(seen.provenance.event_id, []).append(seen)
    return grouped


def derive_facts(
    owner: Owner,
    events: Iterable[RecordedEvent],
    *,
    ports_for: Callable[[DraftFacts], FactPorts],
    reading_for: Callable[[RecordedEvent], Reading],
) -> DerivedFacts:
    """Extract the facts of a user's events, in the order membus learned of them, as if for the first time."""
    ordered = iter(sorted(events, key=lambda each: (each.learned_at, each.event.event_id)))
    draft = DraftFacts(owner)
    ports = ports_for(draft)
    read: set[str] = set()
    unread: dict[str, MembusError] = {}
    versions: dict[str, str] = {}
    while batch := list(islice(ordered, BATCH_EVENTS)):
        ids = {each.event_id for each in batch}
        for reading, part in _group_by_reading(batch, reading_for):
            own = replace(ports, reading=reading)
            unread |= extract_facts(part, ask_model(part, own, redelivered=ids), own)
            versions |= {each.event_id: reading.instructions.version for each in part}
        unread |= dict.fromkeys(draft.over_budget, OVER_BUDGET_ERROR)
        read |= ids - unread.keys()
    observations = tuple(draft.list_observations(owner))
    return DerivedFacts(observations, frozenset(read), unread, draft.answers, draft.costs, versions)


def _group_by_reading(
    batch: Iterable[RecordedEvent], reading_for: Callable[[RecordedEvent], Reading]
) -> list[tuple[Reading, list[RecordedEvent]]]:
    groups: dict[str, tuple[Reading, list[RecordedEvent]]] = {}
    for each in batch:
        reading = reading_for(each)
        groups.setdefault(reading.version, (reading, []))[1].append(each)
    return list(groups.values())


def fold_facts(observations: Iterable[Observation]) -> dict[str, Fact]:
    """Return the fact of every key, retracted ones too."""
    folded = {key: fold(each) for key, each in group_by_key(observations).items()}
    return {key: fact for key, fact in folded.items() if fact}


def compare_facts(before: Iterable[Observation], after: Iterable[Observation]) -> FactChanges:
    """Return the current facts that differ, in the order of their keys."""
    old, new = (
        {key: fact.value or "" for key, fact in fold_facts(each).items() if not fact.is_retracted}
        for each in (before, after)
    )
    return {
        key: (old.get(key), new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    }
