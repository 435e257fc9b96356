"""What is known about users."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from membus.domain.answers import AnswersByEvent
from membus.domain.carrying import ObservationHistory, ObservationPosition, ObservationSnapshot
from membus.domain.event import RecordedEvent
from membus.domain.explaining import ReadingCost
from membus.domain.facts import Fact
from membus.domain.identity import Owner
from membus.domain.observations import Observation
from membus.domain.pages import Page
from membus.domain.profile import Profile


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

    def profile(self, owner: Owner) -> Profile:
        """Return the profile, empty for somebody nobody has heard of; exactly one read."""

    def page(self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None) -> Page[Fact]:
        """Return one page of the facts that hold, in the order of their keys."""

    def fact(self, owner: Owner, key: str) -> Fact:
        """Return the current fact; NotFoundError where there is none, or it was taken back."""

    def stored(self, owner: Owner, key: str) -> VersionedFact:
        """Return the current fact with its revision; NotFoundError as `fact`."""

    def observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        """Return all observations of one key (in the order they were learned), or of every key.

        It may take long.
        """

    def trail(self, owner: Owner, key: str) -> ObservationHistory:
        """Return the recent observations of a key and what the older ones come to; a bounded read."""

    def stretch(
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

    def profile(self, owner: Owner) -> Profile: ...

    def observations(self, owner: Owner, key: str | None = None) -> list[Observation]: ...

    def trail(self, owner: Owner, key: str) -> ObservationHistory: ...

    def base(self, owner: Owner) -> Profile:
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
