"""What listeners on the bus are told when a fact changes.

What a change means to the search index and to those who listen on the bus.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from functions.index.schemas import ItemChange
from membus.aws.dynamodb.keys import FACT_PREFIX, item_kind, parse_conversation_key, parse_user_key
from membus.conversations.ports import ConversationStore
from membus.conversations.summary import Summary
from membus.core.blobs import BlobStore
from membus.core.clock import LATEST, epoch_ms
from membus.core.erasure import Erasure
from membus.core.errors import InvalidError, NotFoundError
from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.facts.fact import Fact
from membus.facts.observation import Observation
from membus.facts.ports import FactReader
from membus.search.memory_projection import (
    fact_memory_id,
    project_event,
    project_observations,
    project_summary,
    summary_memory_id,
)
from membus.search.model import FINAL_VERSION, Document, Memory, Removal


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


@dataclass(frozen=True)
class Projection:
    """What follows from a change that was made, or is about, `moment`.

    `user` is whose data it is, if anybody's.

    `counted` says that its versions count that user's writes, and so begin anew where the user does. `left`
    is the key of a text that nothing points to any more.
    """

    tenant: str
    memories: tuple[Memory, ...] = ()
    removals: tuple[Removal, ...] = ()
    announcement: Event | None = None
    user: str | None = None
    moment: datetime = LATEST
    counted: bool = False
    left: str | None = None

    def after_erasure(self, erasure: Erasure) -> "Projection":
        """Return what is left of it for a user who was erased; nobody is told of what was before.

        Whoever comes back is counted from one again: the moment of the erasure goes in front, in
        milliseconds, and no count reaches as far. So what is left of the former user, however late it
        arrives, is older than all of theirs.
        """
        if erasure.covers_moment(self.moment):
            gone = tuple(each.model_copy(update={"erased": True}) for each in self.removals)
            return replace(self, memories=(), removals=gone, announcement=None)
        if not self.counted:
            return self
        first = epoch_ms(erasure.before)
        return replace(
            self,
            memories=tuple(_shift_version(each, first) for each in self.memories),
            removals=tuple(
                each.model_copy(update={"version": first + each.version}) for each in self.removals
            ),
        )


@dataclass(frozen=True)
class ProjectionSources:
    """Where the rest of a change lies.

    Large payloads, the observations of a fact, whose a conversation is.
    """

    contents: BlobStore
    facts: FactReader
    conversations: ConversationStore


def find_owner(record: Mapping[str, Any]) -> Owner | None:
    """Return whose item a change is about that cannot be read otherwise, as far as its keys say it."""
    images = record.get("dynamodb", {})
    for image in (images.get("Keys"), images.get("NewImage"), images.get("OldImage")):
        for name in ("user_pk", "pk"):
            if owner := parse_user_key(str((image or {}).get(name, {}).get("S"))):
                return owner
    return None


def project_change(change: ItemChange, sources: ProjectionSources) -> Projection | None:
    """Return what follows from a change, or None where nothing does.

    Raises:
        ValidationError, InvalidError: the change cannot be read, now or later.
        UnavailableError: the store that the rest of the change lies in does not answer.
    """
    revision, before = change.revision_pair
    if change.new_body is not None and change.new_body == change.old_body and revision == before:
        return None  # a mark of the archiver, a new time to live: nothing that is searched
    if owner := parse_user_key(change.partition_key):
        return _project_fact_item(change, owner, sources.facts)
    if conversation := parse_conversation_key(change.partition_key):
        return _project_summary_item(change, *conversation, sources.conversations)
    if item_kind(change.partition_key, change.sort_key) == "document":
        return _project_document_item(change, sources.contents)
    return _project_episode_item(change, sources.contents)


def _project_fact_item(change: ItemChange, owner: Owner, facts: FactReader) -> Projection:
    """What a key holds now, and held before, is read from its observations: they know more than two images.

    The item's revision orders what the index is told: a rebuild may leave a key with fewer observations than
    it had.
    """
    new, old = _read_fact(change.new_body), _read_fact(change.old_body)
    revision, before = change.revision_pair
    told = fact_announcement(owner, new, old, write=_write_id(change, new, old))
    moment = max(fact.learned_at for fact in (new, old) if fact)
    whose: Any = {"user": owner.user, "moment": moment, "counted": True}
    if new is None:
        gone = Removal(
            tenant_id=owner.tenant,
            memory_id=fact_memory_id(owner, change.sort_key.removeprefix(FACT_PREFIX)),
            version=before or (old.version if old else FINAL_VERSION),
        )
        return Projection(owner.tenant, removals=(gone,), announcement=told, **whose)
    seen = facts.get_history(owner, new.key).relevant_observations or [_fact_observation(new)]
    known = project_observations(owner, seen, version=revision or max(new.version, len(seen)))
    if isinstance(known, Removal):
        return Projection(owner.tenant, removals=(known,), announcement=told, **whose)
    return Projection(owner.tenant, memories=(known,), announcement=told, **whose)


def _shift_version(memory: Memory, first: int) -> Memory:
    earlier = tuple(_shift_version(each, first) for each in memory.earlier)
    return memory.model_copy(update={"version": first + memory.version, "earlier": earlier})


def _write_id(change: ItemChange, new: Fact | None, old: Fact | None) -> str:
    """Return what tells this write from every other.

    The revision, which rises with each, or the one it removed.
    """
    revision, before = change.revision_pair
    if new:
        return str(revision or f"version {new.version}")
    return f"after {before or (old.version if old else FINAL_VERSION)}"


def _fact_observation(fact: Fact) -> Observation:
    return Observation.model_validate(fact.model_dump(include=set(Observation.model_fields)))


def _project_document_item(change: ItemChange, contents: BlobStore) -> Projection | None:
    """A text that lies elsewhere goes with its item; one that is gone already was replaced.

    A newer change follows.
    """
    document = Document.model_validate_json(change.new_body or change.old_body or "")
    if change.new_body is None or document.deleted:
        left = change.payload_key if change.new_body is None else None
        return Projection(document.tenant_id, removals=(document.as_removal(),), left=left)
    if change.payload_key:
        text = contents.get_text(change.payload_key)
        if text is None:
            return None
        document = document.model_copy(update={"text": text})
    return Projection(
        document.tenant_id,
        memories=(document.as_memory(),),
        user=document.user_id,
        moment=document.updated_at,
    )


def _project_summary_item(
    change: ItemChange, tenant: str, conversation_id: str, conversations: ConversationStore
) -> Projection | None:
    """A summary belongs to whom its conversation belongs to; of a deleted one nothing is found."""
    summary = Summary.model_validate_json(change.new_body or change.old_body or "")
    memory_id = summary_memory_id(conversation_id, summary)
    if change.new_body is None:
        # Not for good: summaries of what an erasure leaves of a conversation begin anew, at a later version.
        return Projection(
            tenant, removals=(Removal(tenant_id=tenant, memory_id=memory_id, version=summary.version),)
        )
    try:
        conversation = conversations.get_conversation(tenant, conversation_id)
    except NotFoundError:
        return None
    told = project_summary(conversation, summary)
    return Projection(tenant, memories=(told,), user=conversation.user_id, moment=summary.created_at)


def _project_episode_item(change: ItemChange, contents: BlobStore) -> Projection | None:
    """An episode that has moved to the cold tier stays searchable; one that somebody removed does not."""
    if change.new_body is None and change.is_expired:
        return None
    recorded = _read_recorded(change, contents)
    memories = tuple(project_event(recorded.event))
    tenant, user = recorded.event.tenant_id, recorded.event.user_id
    if change.new_body is not None:
        return Projection(tenant, memories=memories, user=user, moment=recorded.true_from)
    gone = [
        Removal(tenant_id=each.tenant_id, memory_id=each.memory_id, version=FINAL_VERSION)
        for each in memories
    ]
    return Projection(tenant, removals=tuple(gone))


def _read_recorded(change: ItemChange, contents: BlobStore) -> RecordedEvent:
    """Return the event with its payload, wherever that lies; of one that was removed as much as there is."""
    recorded = RecordedEvent.model_validate_json(change.new_body or change.old_body or "")
    if change.payload_key is None:
        return recorded
    event, text = recorded.event, contents.get_text(change.payload_key)
    if text is None and change.new_body is not None:
        raise InvalidError(f"the payload of event {event.event_id} is gone")
    payload = json.loads(text) if text else {}
    return recorded.model_copy(update={"event": event.model_copy(update={"payload": payload})})


def _read_fact(body: str | None) -> Fact | None:
    return None if body is None else Fact.model_validate_json(body)
