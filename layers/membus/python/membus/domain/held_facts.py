"""Facts held back: what the gate would not believe by itself and a person may still approve or reject."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from membus.domain.facts import Observation
from membus.domain.identity import Id, Record
from membus.domain.verdict import Held, Reason

Decision = Literal["waiting", "approved", "rejected"]
LIFETIME = timedelta(days=30)
"""How long a held fact waits for somebody to look, counted from when its event was learned."""


class HeldFact(Record):
    """One held candidate.

    Its id follows from the event and the key, so a copy of the event holds nothing twice.
    """

    quarantine_id: Id
    reason: Reason
    observation: Observation
    decision: Decision = "waiting"

    @property
    def expires_at(self) -> datetime:
        return self.observation.learned_at + LIFETIME


def held_fact(held: Held) -> HeldFact:
    seen = held.observation
    identity = hashlib.sha256(f"{seen.provenance.event_id}\n{seen.key}".encode()).hexdigest()[:32]
    return HeldFact(quarantine_id=identity, reason=held.reason, observation=seen)
