"""Facts held back: what the gate would not believe by itself and a person may still approve or reject."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from membus.domain.identity import Id, Record
from membus.domain.observations import Observation
from membus.domain.verdict import ReviewRequest, VerdictReason

ReviewDecision = Literal["waiting", "approved", "rejected"]
REVIEW_LIFETIME = timedelta(days=30)
"""How long a held fact waits for somebody to look, counted from when its event was learned."""


class ReviewItem(Record):
    """One held candidate.

    Its id follows from the event and the key, so a copy of the event holds nothing twice.
    """

    quarantine_id: Id
    reason: VerdictReason
    observation: Observation
    decision: ReviewDecision = "waiting"

    @property
    def expires_at(self) -> datetime:
        return self.observation.learned_at + REVIEW_LIFETIME


def review_item_for(held: ReviewRequest) -> ReviewItem:
    seen = held.observation
    identity = hashlib.sha256(f"{seen.provenance.event_id}\n{seen.key}".encode()).hexdigest()[:32]
    return ReviewItem(quarantine_id=identity, reason=held.reason, observation=seen)
