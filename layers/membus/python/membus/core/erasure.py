"""Erasures, the subjects they hide and the legal holds that forbid them; one step of erasing one store."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime

from membus.core.identity import Id, Owner, Record

LEDGER_CACHE_LIFETIME = timedelta(seconds=60)
"""How long a writer may rely on what it has read of the ledger."""
WHOLE_TENANT = "TENANT"
"""The subject of an erasure that takes the whole tenant."""


class Erasure(Record):
    """A line of the ledger: what happened, or was learned, up to `before` is gone for good.

    While it is `running`, nothing of the subject is read and nothing new of the subject is written.
    """

    tenant: Id
    subject: str
    before: AwareDatetime
    running: bool = False

    def covers_moment(self, moment: datetime) -> bool:
        return moment <= self.before


class SubjectsBeingErased(Record):
    """The subjects that are being erased now, and the users among them by name: no answer shows them.

    A name is there as long as the erasure lasts, to leave out what is stored under names.
    """

    tenant: Id
    subjects: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    @property
    def includes_everybody(self) -> bool:
        return WHOLE_TENANT in self.subjects

    def contains_user(self, user: str | None) -> bool:
        """Return whether the data of a user, or of no user in particular, is hidden."""
        return self.includes_everybody or (
            user is not None and erasure_subject(self.tenant, user) in self.subjects
        )


class LegalHold(Record):
    """A legal hold on a user, or a whole tenant where `user` is None: it forbids their erasure."""

    tenant: Id
    user: Id | None = None
    reason: str
    since: AwareDatetime


def erasure_subject(tenant: str, user: str | None) -> str:
    """Return the subject of a user in the ledger, which outlives the data and so must not name them."""
    if user is None:
        return WHOLE_TENANT
    return hashlib.sha256(f"{tenant}\n{user}".encode()).hexdigest()[:40]


@dataclass(frozen=True)
class ErasureCount:
    """What one step removed or found, by name, and where the next one goes on: None at the end."""

    counts: Mapping[str, int] = field(default_factory=dict)
    cursor: str | None = None


@dataclass(frozen=True)
class ErasureStep:
    """One step at a store, from `cursor` on: it ends when `time_left` says so, and advances in any case.

    `settled` says that every process has ended that had not read of the erasure: what no item names is not
    being written any more.
    """

    cursor: str = ""
    time_left: Callable[[], bool] = field(default=lambda: True)
    settled: bool = False


class ErasableStore(Protocol):
    """One store of users' data.

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
