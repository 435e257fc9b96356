"""The wire format of the quarantine."""

from pydantic import AwareDatetime, BaseModel

from membus.facts.candidates import ReviewItem, VerdictReason
from membus.facts.observation import FactKind, Provenance


class ReviewItemOut(BaseModel):
    """A fact that waits: what it would say, why it is held, and the event and words it rests on."""

    quarantine_id: str
    reason: VerdictReason
    key: str
    value: str | None
    kind: FactKind
    valid_from: AwareDatetime
    learned_at: AwareDatetime
    expires_at: AwareDatetime
    provenance: Provenance

    @classmethod
    def from_review_item(cls, held: ReviewItem) -> "ReviewItemOut":
        seen = held.observation
        return cls(
            quarantine_id=held.quarantine_id,
            reason=held.reason,
            key=seen.key,
            value=seen.value,
            kind=seen.kind,
            valid_from=seen.valid_from,
            learned_at=seen.learned_at,
            expires_at=held.expires_at,
            provenance=seen.provenance,
        )


class ReviewQueuePage(BaseModel):
    items: list[ReviewItemOut]
    next_cursor: str | None
