"""Derive one user's facts anew from their episodes, and compare them with what is stored.

It is the learner itself that reads, into a draft: what a rebuild yields is what the queue would have. An
event that was read at the same version before costs no question; corrections are events, so they are learned
like all others.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from functions.extract.draft import Draft
from functions.extract.learning import Learner
from membus.domain.answers import Answer
from membus.domain.event import Recorded
from membus.domain.explaining import Share
from membus.domain.facts import Fact, Observation, by_key, fold
from membus.domain.identity import Owner
from membus.errors import BudgetError, MembusError

BATCH = 10
"""Events learned at once, as the queue hands them out."""
NOT_PAID = BudgetError("the budget of this tenant is spent")


@dataclass(frozen=True)
class Derived:
    """What a user's events teach.

    `read` were understood, `unread` say why not; `answers` are new ones, `shares` what they took.
    """

    owner: Owner
    observations: tuple[Observation, ...]
    read: frozenset[str]
    unread: dict[str, MembusError] = field(default_factory=dict)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    shares: dict[str, Share] = field(default_factory=dict)

    def over(self, stored: Sequence[Observation]) -> list[Observation]:
        """Return what the user's observations shall be.

        New ones of the events that were read, old ones of others.

        What was not read (the model was down, or was not to be asked) keeps what it taught before.
        """
        kept = [seen for seen in stored if seen.provenance.event_id not in self.read]
        return [*kept, *self.observations]


@dataclass(frozen=True)
class Difference:
    """What would change in the facts that hold: by key, the value before and after."""

    added: dict[str, str]
    lost: dict[str, str]
    changed: dict[str, tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.added or self.lost or self.changed)


def derive(owner: Owner, events: Iterable[Recorded], *, learner: Callable[[Draft], Learner]) -> Derived:
    """Learn from a user's events, in the order membus learned of them, as if for the first time."""
    ordered = iter(sorted(events, key=lambda each: (each.learned_at, each.event.event_id)))
    draft = Draft(owner)
    learning = learner(draft)
    read: set[str] = set()
    unread: dict[str, MembusError] = {}
    while batch := list(islice(ordered, BATCH)):
        ids = {each.event.event_id for each in batch}
        unread |= learning.learn(batch, learning.read(batch, ids)) | dict.fromkeys(draft.unpaid, NOT_PAID)
        read |= ids - unread.keys()
    return Derived(
        owner, tuple(draft.observations(owner)), frozenset(read), unread, draft.answers, draft.shares
    )


def facts_of(observations: Iterable[Observation]) -> dict[str, Fact]:
    """Return the fact of every key, retracted ones too."""
    folded = {key: fold(seen) for key, seen in by_key(observations).items()}
    return {key: fact for key, fact in folded.items() if fact}


def difference(before: Iterable[Observation], after: Iterable[Observation]) -> Difference:
    was, will_be = _held(before), _held(after)
    return Difference(
        added={key: will_be[key] for key in sorted(will_be.keys() - was.keys())},
        lost={key: was[key] for key in sorted(was.keys() - will_be.keys())},
        changed={
            key: (was[key], will_be[key])
            for key in sorted(was.keys() & will_be.keys())
            if was[key] != will_be[key]
        },
    )


def _held(observations: Iterable[Observation]) -> dict[str, str]:
    return {key: fact.value or "" for key, fact in facts_of(observations).items() if not fact.retracted}
