"""The review queue of a user: its items, and the fact that an approval makes."""

import time
from collections.abc import Callable
from datetime import datetime

from functions.api.facts.corrections import CorrectionResult, FactChange, correct_fact
from functions.api.pages import PageRequest
from functions.api.review_queue.schemas import ReviewItemOut, ReviewQueuePage
from membus.core.identity import Owner
from membus.facts.corrections import Correction
from membus.facts.ports import FactStore, ReviewQueue


def list_review_items(owner: Owner, *, page: PageRequest, review_queue: ReviewQueue) -> ReviewQueuePage:
    query = page.for_query("quarantine", owner.tenant, owner.user)
    found = review_queue.list_items(owner, limit=query.limit, after=query.after)
    items = [ReviewItemOut.from_review_item(each) for each in found.items]
    return ReviewQueuePage(items=items, next_cursor=query.next_cursor(found.after))


def approve_review_item(
    owner: Owner,
    quarantine_id: str,
    *,
    review_queue: ReviewQueue,
    facts: FactStore,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> CorrectionResult:
    """Return the fact that the approval makes; it is a correction, so no replay undoes it.

    A value of the future holds from the approval on, because a correction says what is so. The approval is
    stored before the correction, whose event id follows from it: a request that is repeated after a crash
    completes what the first one began, and a rejection cannot come between.
    """
    seen = review_queue.approve_item(owner, quarantine_id).observation
    valid_from = seen.valid_from if seen.valid_from <= seen.learned_at else None
    correction = Correction(
        key=seen.key, value=seen.value, kind=seen.kind, valid_from=valid_from, valid_until=seen.valid_until
    )
    change = FactChange(correction, f"approved-{quarantine_id}")
    return correct_fact(owner, change, now=now, facts=facts, sleep=sleep)
