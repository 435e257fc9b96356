"""The ports of facts: the store, the answers of models, the review queue, and signals of behaviour."""

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
    """The answers of models, each under the version of its prompt and the configured model."""

    def get_answers(self, owners: Mapping[str, Owner], *, prompt_version: str, model: str) -> AnswersByEvent:
        """Return the stored answers; `owners` are by event id. An event that was never asked about is missing."""

    def save_answers(self, owner: Owner, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        """Store answers beside their recorded events.

        For an event that is not recorded (any more) nothing is.
        """

    def delete_answers(
        self, owner: Owner, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> None:
        """Delete the answers to one prompt version and model."""


@dataclass(frozen=True)
class ModelQuery:
    """The version of a prompt, the id of the model that was asked, and the answers."""

    prompt_version: str
    model: str
    answers: AnswersByEvent


@dataclass(frozen=True)
class FactCommit:
    """All that one commit writes: observations, the facts they add up to, the profile, and their events.

    `events` are recorded already and become read; `new_events` are recorded by the commit itself, as read.
    `costs` says by event id what reading took, `query` what models answered. `snapshots` are by key the
    changed snapshots of older observations, None where one is deleted.
    """

    profile: Profile
    extractor: str
    events: tuple[RecordedEvent, ...]
    observations: tuple[Observation, ...] = ()
    facts: tuple[Fact, ...] = field(default=())
    new_events: tuple[RecordedEvent, ...] = ()
    costs: Mapping[str, ReadingCost] = field(default_factory=dict)
    query: ModelQuery | None = None
    snapshots: Mapping[str, ObservationSnapshot | None] = field(default_factory=dict)


class VersionedFact(NamedTuple):
    """A fact and its revision, the version of the profile that it was written with.

    It rises with every write to a user's facts, rebuilds included, so no two writes of a fact share one.
    """

    fact: Fact
    revision: int


class FactReader(Protocol):
    """The part of a fact store that readers need."""

    def get_profile(self, owner: Owner) -> Profile:
        """Return the profile, empty for an unknown user; exactly one read."""

    def list_facts(
        self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Fact]:
        """Return one page of the current facts, in the order of their keys."""

    def get_fact(self, owner: Owner, key: str) -> Fact:
        """Return the current fact.

        Raises:
            NotFoundError: there is none, or it was retracted.
        """

    def get_versioned_fact(self, owner: Owner, key: str) -> VersionedFact:
        """Return the current fact with its revision; raises as `get_fact` does."""

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        """Return all observations of one key in the order of learning, or of every key; it may take long."""

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        """Return the recent observations of a key and the snapshot of the older ones; a bounded read."""

    def list_observation_range(
        self,
        owner: Owner,
        key: str,
        *,
        beyond: ObservationPosition | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Observation]:
        """Return up to `limit` observations of a key after a position, or before it, in learning order."""


class FactWriter(Protocol):
    """The part of a fact store that extraction needs."""

    def get_profile(self, owner: Owner) -> Profile: ...

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]: ...

    def get_history(self, owner: Owner, key: str) -> ObservationHistory: ...

    def get_full_profile(self, owner: Owner) -> Profile:
        """Return the profile with every fact, also those that did not fit the stored one."""

    def commit(self, change: FactCommit) -> None:
        """Write all of it or nothing.

        Raises:
            ConflictError: the profile is no longer at the version before `change.profile.version`, or the id
                of a new event is known.
        """


class FactStore(FactReader, FactWriter, Protocol):
    """Both parts."""


class ReviewIntake(Protocol):
    """The part of a review queue that extraction needs."""

    def add_items(self, owner: Owner, items: Iterable[ReviewItem]) -> None:
        """Add each item until it expires; one whose id is known is left as it is, decided or not.

        One that was rejected under a former id is not added.
        """


class ReviewQueue(ReviewIntake, Protocol):
    def list_items(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        """Return one page of waiting items in the order of their ids.

        An empty page may still have a next one.
        """

    def approve_item(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        """Store a person's approval and return the item; an approval may be repeated.

        Raises:
            NotFoundError: there is no such item, or it has expired.
            ConflictError: `decided`, it was rejected.
        """

    def reject_item(self, owner: Owner, quarantine_id: str) -> None:
        """Delete the words and store the rejection for good; raises as `approve_item` does."""


class SignalStore(Protocol):
    """Signals of behaviour, which rules count and which expire."""

    def add_signal(self, owner: Owner, signal: Signal) -> Iterable[SignalMark]:
        """Add the signal's mark, and return it with its neighbours within the window of the group's rules.

        At least `signal.neighbour_limit` on each side. Adding a mark again changes nothing.
        """
