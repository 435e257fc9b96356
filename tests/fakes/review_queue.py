"""Held facts in a dictionary; a decision outlives the words it was about."""

from collections import defaultdict
from collections.abc import Iterable

from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.facts.candidates import ReviewDecision, ReviewItem
from tests.fakes.listing import page_of


class InMemoryReviewQueue:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[Owner, dict[str, ReviewItem]] = defaultdict(dict)

    def add_items(self, owner: Owner, items: Iterable[ReviewItem]) -> None:
        for each in items:
            former = (self._held[owner].get(known) for known in each.former_ids)
            if not any(held is not None and held.decision == "rejected" for held in former):
                self._held[owner].setdefault(each.quarantine_id, each)

    def list_items(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        return page_of(self._held[owner], limit=limit, after=after, keep=self._waits)

    def approve_item(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        return self._decide(owner, quarantine_id, "approved")

    def reject_item(self, owner: Owner, quarantine_id: str) -> None:
        self._decide(owner, quarantine_id, "rejected")

    def _decide(self, owner: Owner, quarantine_id: str, decision: ReviewDecision) -> ReviewItem:
        held = self._held[owner].get(quarantine_id)
        if held is None or (held.decision == "waiting" and not self._waits(held)):
            raise NotFoundError("nothing waits for review under this id")
        if held.decision not in {"waiting", decision}:
            raise ConflictError(f"this was {held.decision} before", code="decided")
        self._held[owner][quarantine_id] = decided = held.model_copy(update={"decision": decision})
        return decided

    def _waits(self, held: ReviewItem) -> bool:
        return held.decision == "waiting" and held.expires_at > self._clock()
