"""The quarantine of a user: what waits for a person's word, and what that word makes of it."""

from collections.abc import Callable
from datetime import datetime

from functions.api.cursors import read_cursor, write_cursor
from functions.api.facts.corrections import CorrectionResult, FactChange, correct_fact
from functions.api.review_queue.schemas import ReviewItemOut, ReviewQueuePage
from membus.core.identity import Owner
from membus.core.pages import CursorSigner
from membus.facts.corrections import Correction
from membus.facts.ports import FactStore, ReviewQueue


def list_review_items(
    owner: Owner, *, limit: int, cursor: str | None, held_facts: ReviewQueue, sealer: CursorSigner
) -> ReviewQueuePage:
    query = f"quarantine\n{owner.tenant}\n{owner.user}"
    page = held_facts.list_items(owner, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    items = [ReviewItemOut.from_review_item(held) for held in page.items]
    return ReviewQueuePage(items=items, next_cursor=write_cursor(page.after, query=query, sealer=sealer))


def approve_review_item(
    owner: Owner,
    quarantine_id: str,
    *,
    held_facts: ReviewQueue,
    facts: FactStore,
    now: datetime,
    pause: Callable[[float], None],
) -> CorrectionResult:
    """Return the fact that the approval made; an approval is a correction, so no replay takes it back.

    What was still to come is so from the approval on: a correction says what is, and a request repeated later
    the same. The yes is noted first and the correction's event owes its id to it: repeated after a crash, the
    request finishes what it began, and a rejection at the same moment cannot come between.
    """
    seen = held_facts.approve_item(owner, quarantine_id).observation
    begun = seen.valid_from if seen.valid_from <= seen.learned_at else None
    correction = Correction(
        key=seen.key, value=seen.value, kind=seen.kind, valid_from=begun, valid_until=seen.valid_until
    )
    return correct_fact(
        owner, FactChange(correction, f"approved-{quarantine_id}"), now=now, facts=facts, pause=pause
    )
