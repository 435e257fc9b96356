"""What listeners on the bus are told when a fact changes."""

import hashlib

from membus.domain.event import Event
from membus.domain.facts import Fact
from membus.domain.identity import Owner


def fact_announcement(owner: Owner, new: Fact | None, old: Fact | None, *, write: str) -> Event | None:
    """Return what listeners are told.

    `write` names the write that changed the fact as no other write is named.
    """
    before = old.value if old else None
    after = new.value if new else None
    if (known := new or old) is None or before == after:
        return None
    if after is None:
        return _announcement_event(owner, "fact.retracted", known, write, previous=before)
    if before is None:
        return _announcement_event(owner, "fact.recorded", known, write)
    return _announcement_event(owner, "fact.superseded", known, write, previous=before)


def _announcement_event(
    owner: Owner, kind: str, fact: Fact, write: str, *, previous: str | None = None
) -> Event:
    """Return the announcement; the same write always has the same event id, and no other one has it."""
    identity = f"{owner.tenant}\n{owner.user}\n{fact.key}\n{write}\n{kind}"
    payload = {
        "key": fact.key,
        "value": fact.value,
        "version": fact.version,
        "event_id": fact.provenance.event_id,
    }
    return Event(
        event_id=f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        tenant_id=owner.tenant,
        user_id=owner.user,
        type=kind,
        occurred_at=fact.learned_at,
        payload=payload | {"previous": previous},
    )
