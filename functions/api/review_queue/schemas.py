"""The JSON of the review queue."""

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
    def from_review_item(cls, item: ReviewItem) -> "ReviewItemOut":
        names = {"quarantine_id": item.quarantine_id, "reason": item.reason, "expires_at": item.expires_at}
        return cls.model_validate(dict(item.observation) | names)


class ReviewQueuePage(BaseModel):
    """Facts that wait for a person."""

    items: list[ReviewItemOut]
    next_cursor: str | None
