"""The quarantine of a user: what waits for a person's word, and what that word makes of it."""

from collections.abc import Callable
from datetime import datetime

from functions.memory.cursors import read_cursor, write_cursor
from functions.memory.facts_changes import Change
from functions.memory.facts_corrections import Done, correct
from functions.memory.quarantine_api import HeldOut, QuarantinePage
from membus.domain.corrections import Correction
from membus.domain.identity import Owner
from membus.ports.facts import FactStore
from membus.ports.held_facts import HeldFacts
from membus.ports.sealer import Sealer


def list_held(
    owner: Owner, *, limit: int, cursor: str | None, held_facts: HeldFacts, sealer: Sealer
) -> QuarantinePage:
    query = f"quarantine\n{owner.tenant}\n{owner.user}"
    page = held_facts.page(owner, limit=limit, after=read_cursor(cursor, query=query, sealer=sealer))
    items = [HeldOut.of(held) for held in page.items]
    return QuarantinePage(items=items, next_cursor=write_cursor(page.after, query=query, sealer=sealer))


def approve(
    owner: Owner,
    quarantine_id: str,
    *,
    held_facts: HeldFacts,
    facts: FactStore,
    now: datetime,
    pause: Callable[[float], None],
) -> Done:
    """Return the fact that the approval made; an approval is a correction, so no replay takes it back.

    What was still to come is so from the approval on: a correction says what is, and a request repeated later
    the same. The yes is noted first and the correction's event owes its id to it: repeated after a crash, the
    request finishes what it began, and a rejection at the same moment cannot come between.
    """
    seen = held_facts.approve(owner, quarantine_id).observation
    begun = seen.valid_from if seen.valid_from <= seen.learned_at else None
    correction = Correction(
        key=seen.key, value=seen.value, kind=seen.kind, valid_from=begun, valid_until=seen.valid_until
    )
    return correct(owner, Change(correction, f"approved-{quarantine_id}"), now=now, facts=facts, pause=pause)
