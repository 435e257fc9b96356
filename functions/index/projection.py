"""What a change means to the search index and to those who listen on the bus."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime

from functions.index.api import Change
from membus.domain.document import Document
from membus.domain.event import Event, Recorded
from membus.domain.facts import Fact
from membus.domain.identity import Owner
from membus.domain.memory import FINAL, Memory, Removal
from membus.domain.remembered import fact_id, memories_of_event, memory_of_fact
from membus.errors import InvalidError
from membus.ports.contents import ContentStore

_OWNER = re.compile(r"T#([^#]+)#U#([^#]+)")


@dataclass(frozen=True)
class Projection:
    tenant: str
    memories: tuple[Memory, ...] = ()
    removals: tuple[Removal, ...] = ()
    announcement: Event | None = None


def project(change: Change, contents: ContentStore) -> Projection | None:
    """Return what follows from a change, or None where nothing does.

    Raises:
        ValidationError, InvalidError: the change cannot be read, now or later.
        UnavailableError: the store that a large payload lies in does not answer.
    """
    if change.body is not None and change.body == change.old_body:
        return None  # a mark of the archiver, a new time to live: nothing that is searched
    if owner := _OWNER.fullmatch(change.pk):
        return _fact(change, Owner(tenant=owner[1], user=owner[2]))
    if change.sk == "DOC":
        return _document(change)
    return _episode(change, contents)


def _fact(change: Change, owner: Owner) -> Projection:
    new, old = _read_fact(change.body), _read_fact(change.old_body)
    told = _announcement(owner, new, old)
    if new is None or new.retracted:
        last = new or old
        gone = Removal(
            tenant_id=owner.tenant, memory_id=fact_id(owner, change.sk.removeprefix("FACT#")),
            version=last.version if last else FINAL,
        )  # fmt: skip
        return Projection(owner.tenant, removals=(gone,), announcement=told)
    return Projection(owner.tenant, memories=(memory_of_fact(owner, new),), announcement=told)


def _document(change: Change) -> Projection | None:
    document = Document.model_validate_json(change.body or change.old_body or "")
    if change.body is None or document.deleted:
        return Projection(document.tenant_id, removals=(document.as_removal(),))
    return Projection(document.tenant_id, memories=(document.as_memory(),))


def _episode(change: Change, contents: ContentStore) -> Projection | None:
    """An episode that has moved to the cold tier stays searchable; one that somebody removed does not."""
    if change.body is None and change.expired:
        return None
    event = _opened(change, contents)
    memories = tuple(memories_of_event(event))
    if change.body is not None:
        return Projection(event.tenant_id, memories=memories)
    gone = [Removal(tenant_id=each.tenant_id, memory_id=each.memory_id, version=FINAL) for each in memories]
    return Projection(event.tenant_id, removals=tuple(gone))


def _opened(change: Change, contents: ContentStore) -> Event:
    """Return the event with its payload, wherever that lies."""
    event = Recorded.model_validate_json(change.body or change.old_body or "").event
    if change.spilled is None:
        return event
    text = contents.text(change.spilled)
    if text is None:
        raise InvalidError(f"the payload of event {event.event_id} is gone")
    return event.model_copy(update={"payload": json.loads(text)})


def _announcement(owner: Owner, new: Fact | None, old: Fact | None) -> Event | None:
    before = old.value if old else None
    after = new.value if new else None
    if (known := new or old) is None or before == after:
        return None
    if after is None:
        return _told(owner, "fact.retracted", known, known.learned_at, previous=before)
    if before is None:
        return _told(owner, "fact.recorded", known, known.learned_at)
    return _told(owner, "fact.superseded", known, known.learned_at, previous=before)


def _told(owner: Owner, kind: str, fact: Fact, moment: datetime, *, previous: str | None = None) -> Event:
    """Return the announcement; the same change always has the same event id."""
    identity = "\n".join((owner.tenant, owner.user, fact.key, str(fact.version), kind))
    payload = {"key": fact.key, "value": fact.value, "version": fact.version, "event_id": fact.provenance.event_id}
    return Event(
        event_id=f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}", tenant_id=owner.tenant,
        user_id=owner.user, type=kind, occurred_at=moment, payload=payload | {"previous": previous},
    )  # fmt: skip


def _read_fact(body: str | None) -> Fact | None:
    return None if body is None else Fact.model_validate_json(body)
