"""What is erased: whose data, up to which moment, and what must never come back."""

import hashlib
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from membus.domain.identity import Id, Record

HEARD_WITHIN = timedelta(seconds=60)
"""How long a writer may go on without having heard of an erasure: it asks the ledger again after that."""
EVERYBODY = "TENANT"
"""The subject of an erasure that takes the whole tenant."""


class Erasure(Record):
    """A line of the ledger. What happened, or was learned, up to `before` is gone for good; later events are new.

    While it is `running`, nobody reads the subject's data and nothing new of the subject is written.
    """

    tenant: Id
    subject: str
    before: AwareDatetime
    running: bool = False

    def covers(self, moment: datetime) -> bool:
        return moment <= self.before


class Hold(Record):
    """A legal hold on a user, or on a whole tenant where `user` is None: nothing is erased until it is lifted."""

    tenant: Id
    user: Id | None = None
    reason: str
    since: AwareDatetime


def subject_of(tenant: str, user: str | None) -> str:
    """Return what stands for a user in the ledger, which outlives the data and so must not name anybody."""
    if user is None:
        return EVERYBODY
    return hashlib.sha256(f"{tenant}\n{user}".encode()).hexdigest()[:40]
