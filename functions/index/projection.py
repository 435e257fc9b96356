"""Projection: what a change of a table means to the search index, and to listeners on the bus."""

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
    """Return the event that announces a changed fact; its id is unique to `write`, the id of the write."""
    before = old.value if old else None
    after = new.value if new else None
    fact = new or old
    if fact is None or before == after:
        return None
    kind = "fact.retracted" if after is None else "fact.recorded" if before is None else "fact.superseded"
    identity = f"{owner.tenant}\n{owner.user}\n{fact.key}\n{write}\n{kind}"
    return Event(
        event_id=f"{kind}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        tenant_id=owner.tenant,
        user_id=owner.user,
        type=kind,
        occurred_at=fact.learned_at,
        payload={
            "key": fact.key,
            "value": fact.value,
            "version": fact.version,
            "event_id": fact.provenance.event_id,
            "previous": before,
        },
    )


@dataclass(frozen=True)
class Projection:
    """The memories and removals that a change at `moment` leads to, and its announcement.

    `user` is the owner of the data, if it has one. `counted` says that versions count that user's writes, and
    start again after an erasure. `unused_text_key` is a text in S3 that no item points to any more.
    """

    tenant: str
    memories: tuple[Memory, ...] = ()
    removals: tuple[Removal, ...] = ()
    announcement: Event | None = None
    user: str | None = None
    moment: datetime = LATEST
    counted: bool = False
    unused_text_key: str | None = None

    def after_erasure(self, erasure: Erasure) -> "Projection":
        """Return the projection for an erased user: a change from before is only removed, and not announced.

        A user who comes back counts writes from one again. So the milliseconds of the erasure are added to
        their versions, which no count reaches: a late change of the former user is older than all of theirs.
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
    """The stores with the rest of a change: large texts, a fact's observations, a conversation's owner."""

    blobs: BlobStore
    facts: FactReader
    conversations: ConversationStore


def find_owner(record: Mapping[str, Any]) -> Owner | None:
    """Return the owner of an item that cannot be read, as far as its keys name one."""
    images = record.get("dynamodb", {})
    for image in (images.get("Keys"), images.get("NewImage"), images.get("OldImage")):
        for name in ("user_pk", "pk"):
            if user_key := parse_user_key(str((image or {}).get(name, {}).get("S"))):
                return Owner(tenant=user_key[0], user=user_key[1])
    return None


def project_change(change: ItemChange, sources: ProjectionSources) -> Projection | None:
    """Return the projection of a change, None where nothing follows from it.

    Raises:
        ValidationError, InvalidError: the change cannot be read, now or later.
        UnavailableError: the store with the rest of the change does not answer.
    """
    revision, before = change.revision_pair
    if change.new_body is not None and change.new_body == change.old_body and revision == before:
        return None  # a mark of the archiver, a new expiry: nothing that is searched
    if user_key := parse_user_key(change.partition_key):
        return _project_fact_item(change, Owner(tenant=user_key[0], user=user_key[1]), sources.facts)
    if conversation := parse_conversation_key(change.partition_key):
        return _project_summary_item(change, *conversation, sources.conversations)
    if item_kind(change.partition_key, change.sort_key) == "document":
        return _project_document_item(change, sources.blobs)
    return _project_episode_item(change, sources.blobs)


def _project_fact_item(change: ItemChange, owner: Owner, facts: FactReader) -> Projection:
    """A key's current and earlier values are read from its observations: they know more than two images.

    The item's revision is the memory's version: a rebuild may leave a key with fewer observations than
    before.
    """
    new, old = _read_fact(change.new_body), _read_fact(change.old_body)
    revision, before = change.revision_pair
    known: Memory | Removal
    if new is None:
        known = Removal(
            tenant_id=owner.tenant,
            memory_id=fact_memory_id(owner, change.sort_key.removeprefix(FACT_PREFIX)),
            version=before or (old.version if old else FINAL_VERSION),
        )
    else:
        seen = facts.get_history(owner, new.key).relevant_observations or [_fact_observation(new)]
        known = project_observations(owner, seen, version=revision or max(new.version, len(seen)))
    return Projection(
        owner.tenant,
        memories=() if isinstance(known, Removal) else (known,),
        removals=(known,) if isinstance(known, Removal) else (),
        announcement=fact_announcement(owner, new, old, write=_write_id(change, new, old)),
        user=owner.user,
        moment=max(fact.learned_at for fact in (new, old) if fact),
        counted=True,
    )


def _shift_version(memory: Memory, first: int) -> Memory:
    earlier = tuple(_shift_version(each, first) for each in memory.earlier)
    return memory.model_copy(update={"version": first + memory.version, "earlier": earlier})


def _write_id(change: ItemChange, new: Fact | None, old: Fact | None) -> str:
    """Return the id of a write: the revision, which rises with each, or the one that it deleted."""
    revision, before = change.revision_pair
    if new:
        return str(revision or f"version {new.version}")
    return f"after {before or (old.version if old else FINAL_VERSION)}"


def _fact_observation(fact: Fact) -> Observation:
    return Observation.model_validate(fact.model_dump(include=set(Observation.model_fields)))


def _project_document_item(change: ItemChange, blobs: BlobStore) -> Projection | None:
    """A text in S3 is deleted with its item; one that is missing was replaced, and a newer change follows."""
    document = Document.model_validate_json(change.new_body or change.old_body or "")
    if change.new_body is None or document.deleted:
        unused = change.payload_key if change.new_body is None else None
        return Projection(document.tenant_id, removals=(document.as_removal(),), unused_text_key=unused)
    if change.payload_key:
        text = blobs.get_text(change.payload_key)
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
    """A summary has the owner of its conversation; of a deleted conversation no summary is found."""
    summary = Summary.model_validate_json(change.new_body or change.old_body or "")
    memory_id = summary_memory_id(conversation_id, summary)
    if change.new_body is None:
        # Not for good: after an erasure the rest of a conversation gets new summaries, at a later version.
        removal = Removal(tenant_id=tenant, memory_id=memory_id, version=summary.version)
        return Projection(tenant, removals=(removal,))
    try:
        conversation = conversations.get_conversation(tenant, conversation_id)
    except NotFoundError:
        return None
    memory = project_summary(conversation, summary)
    return Projection(tenant, memories=(memory,), user=conversation.user_id, moment=summary.created_at)


def _project_episode_item(change: ItemChange, blobs: BlobStore) -> Projection | None:
    """An episode that moved to the archive stays searchable; one that was deleted does not."""
    if change.new_body is None and change.is_expired:
        return None
    recorded = _read_recorded(change, blobs)
    memories = tuple(project_event(recorded.event))
    tenant, user = recorded.event.tenant_id, recorded.event.user_id
    if change.new_body is not None:
        return Projection(tenant, memories=memories, user=user, moment=recorded.true_from)
    gone = [
        Removal(tenant_id=each.tenant_id, memory_id=each.memory_id, version=FINAL_VERSION)
        for each in memories
    ]
    return Projection(tenant, removals=tuple(gone))


def _read_recorded(change: ItemChange, blobs: BlobStore) -> RecordedEvent:
    """Return the event with its payload; of a deleted event, as much as there still is."""
    recorded = RecordedEvent.model_validate_json(change.new_body or change.old_body or "")
    if change.payload_key is None:
        return recorded
    event, text = recorded.event, blobs.get_text(change.payload_key)
    if text is None and change.new_body is not None:
        raise InvalidError(f"the payload of event {event.event_id} is gone")
    payload = json.loads(text) if text else {}
    return recorded.model_copy(update={"event": event.model_copy(update={"payload": payload})})


def _read_fact(body: str | None) -> Fact | None:
    return None if body is None else Fact.model_validate_json(body)
