"""What models once proposed, by the question they were asked.

What is known about users.

Facts that wait for a person's word.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import ReadingCost
from membus.facts.candidates import AnswersByEvent, ReviewItem
from membus.facts.fact import Fact, ObservationHistory, ObservationPosition, ObservationSnapshot
from membus.facts.observation import Observation
from membus.facts.profile import Profile
from membus.facts.rules import Signal, SignalMark


class AnswerStore(Protocol):
    """`prompt_version` and `model`, the configured id, say which question it was."""

    def get_answers(
        self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> AnswersByEvent:
        """Return the answers that are kept; an event that nobody asked about is missing."""

    def save_answers(self, tenant: str, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        """Keep answers beside events that are recorded; for one that is not (any more) nothing is kept."""

    def delete_answers(
        self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> None:
        """Forget the answers to one question."""


@dataclass(frozen=True)
class ModelQuery:
    """A question, by the version of its prompt and the id of the model it was put to, and the answers to it."""

    prompt_version: str
    model: str
    answers: AnswersByEvent


@dataclass(frozen=True)
class FactCommit:
    """All that one commit writes: observations, the facts they add up to, the profile, the events they cover.

    `events` are recorded already and become read; `new_events` are recorded by the commit itself, as read.
    `shares` says by event id what reading took; it lies with the event, for it depends on the company an
    event was read in. `asked` keeps what was proposed for each event, so that reading it again costs no
    question. `carried` says by key what its older observations come to, where that changes; None where
    nothing is carried any more.
    """

    profile: Profile
    extractor: str
    events: tuple[RecordedEvent, ...]
    observations: tuple[Observation, ...] = ()
    facts: tuple[Fact, ...] = field(default=())
    new_events: tuple[RecordedEvent, ...] = ()
    shares: Mapping[str, ReadingCost] = field(default_factory=dict)
    asked: ModelQuery | None = None
    carried: Mapping[str, ObservationSnapshot | None] = field(default_factory=dict)


class VersionedFact(NamedTuple):
    """A fact, and the version of the profile that it was written with: no two writes of a fact share one.

    It rises with every write to a user's facts, rebuilds included; what a fact says never changes under it.
    """

    fact: Fact
    revision: int


class FactReader(Protocol):
    """The reading half; whoever only reads gets no more than this."""

    def get_profile(self, owner: Owner) -> Profile:
        """Return the profile, empty for somebody nobody has heard of; exactly one read."""

    def list_facts(
        self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Fact]:
        """Return one page of the facts that hold, in the order of their keys."""

    def get_fact(self, owner: Owner, key: str) -> Fact:
        """Return the current fact; NotFoundError where there is none, or it was taken back."""

    def get_versioned_fact(self, owner: Owner, key: str) -> VersionedFact:
        """Return the current fact with its revision; NotFoundError as `fact`."""

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        """Return all observations of one key (in the order they were learned), or of every key.

        It may take long.
        """

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        """Return the recent observations of a key and what the older ones come to; a bounded read."""

    def list_observation_range(
        self,
        owner: Owner,
        key: str,
        *,
        beyond: ObservationPosition | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Observation]:
        """Return up to `limit` observations of a key learned after a place, or before it, in the order of learning."""


class FactWriter(Protocol):
    """As much as learning needs."""

    def get_profile(self, owner: Owner) -> Profile: ...

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]: ...

    def get_history(self, owner: Owner, key: str) -> ObservationHistory: ...

    def get_full_profile(self, owner: Owner) -> Profile:
        """Return the profile that the next one is made from.

        With every fact, where the compact one left some out.
        """

    def commit(self, learned: FactCommit) -> None:
        """Write all of it or nothing.

        Raises:
            ConflictError: the profile is no longer at the version before `learned.profile.version`, or the id
                of a
                new event is known.
        """


class FactStore(FactReader, FactWriter, Protocol):
    """Both halves, for those who learn and those who are corrected."""


class ReviewIntake(Protocol):
    """As much as learning needs."""

    def add_items(self, owner: Owner, held: Iterable[ReviewItem]) -> None: ...


class ReviewQueue(ReviewIntake, Protocol):
    def add_items(self, owner: Owner, held: Iterable[ReviewItem]) -> None:
        """Keep each until its time is up; one whose id is known is left as it is, decided or not."""

    def list_items(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        """Return one page of those that wait, in the order of their ids.

        An empty page may still have a next one.
        """

    def approve_item(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        """Note a person's yes and return the fact; it may be said again.

        Raises:
            NotFoundError: nothing is held under this id, or its time is up.
            ConflictError: `decided`, it was rejected.
        """

    def reject_item(self, owner: Owner, quarantine_id: str) -> None:
        """Forget the words and remember the no for good.

        Raises as `approve` does, `decided` where it was approved.
        """


class SignalStore(Protocol):
    """Short-lived traces of behaviour that rules count."""

    def add_signal(self, owner: Owner, signal: Signal) -> Iterable[SignalMark]:
        """Add the signal's mark and return it with its nearest neighbours within the window of its trail's rules.

        At least `signal.reach` on each side, as many as the rules can need. Adding a mark again changes
        nothing.
        """
