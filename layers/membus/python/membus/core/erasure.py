"""What is erased: whose data, up to which moment, and what must never come back."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime

from membus.core.identity import Id, Owner, Record

LEDGER_CACHE_LIFETIME = timedelta(seconds=60)
"""How long a writer may go on without having heard of an erasure: it asks the ledger again after that."""
WHOLE_TENANT = "TENANT"
"""The subject of an erasure that takes the whole tenant."""


class Erasure(Record):
    """A line of the ledger. What happened, or was learned, up to `before` is gone for good.

    Later events are new.

    While it is `running`, nobody reads the subject's data and nothing new of the subject is written.
    """

    tenant: Id
    subject: str
    before: AwareDatetime
    running: bool = False

    def covers_moment(self, moment: datetime) -> bool:
        return moment <= self.before


class SubjectsBeingErased(Record):
    """Whom no answer may show.

    The subjects that are being erased at this moment, and the users among them by name.

    A name is there as long as the erasure lasts: what is stored under names is left out by it.
    """

    tenant: Id
    subjects: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    @property
    def includes_everybody(self) -> bool:
        return WHOLE_TENANT in self.subjects

    def contains_user(self, user: str | None) -> bool:
        """Whether what belongs to a user, or to nobody in particular, is hidden."""
        return self.includes_everybody or (
            user is not None and erasure_subject(self.tenant, user) in self.subjects
        )


class LegalHold(Record):
    """A legal hold on a user, or on a whole tenant where `user` is None.

    Nothing is erased until it is lifted.
    """

    tenant: Id
    user: Id | None = None
    reason: str
    since: AwareDatetime


def erasure_subject(tenant: str, user: str | None) -> str:
    """Return what stands for a user in the ledger, which outlives the data and so must not name anybody."""
    if user is None:
        return WHOLE_TENANT
    return hashlib.sha256(f"{tenant}\n{user}".encode()).hexdigest()[:40]


@dataclass(frozen=True)
class ErasureCount:
    """What one go removed or found, by name, and where the next one goes on: None at the end."""

    counts: Mapping[str, int] = field(default_factory=dict)
    cursor: str | None = None


@dataclass(frozen=True)
class ErasureStep:
    """One go at a store, from `cursor` on. It ends when `time_left` says so, and gets on a little in any case.

    `settled` says that whoever had not heard of the erasure has ended: what nobody names is nobody's work any
    more.
    """

    cursor: str = ""
    time_left: Callable[[], bool] = field(default=lambda: True)
    settled: bool = False


class ErasableStore(Protocol):
    """One store's share of a user's data.

    Both methods may be repeated, after a crash at any place and beside a copy of itself.

    Raises:
        UnavailableError: the store does not answer; what is removed stays so.
    """

    @property
    def name(self) -> str: ...

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        """Remove what is found from the cursor on."""

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        """Return by a query of its own what there is of the user: nothing, once it is erased."""
