"""Memory projection: stored facts, events and summaries as memories of the search index."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from membus.conversations.conversation import Conversation
from membus.conversations.summary import Chapter, Summary
from membus.core.event import IMPORTED_EVENT_TYPE, Event
from membus.core.event_shapes import is_user_role
from membus.core.identity import MemorySource, Owner
from membus.core.text.normalization import is_blank
from membus.facts.corrections import CORRECTED, RETRACTED
from membus.facts.fact import Fact, fact_periods
from membus.facts.observation import Observation
from membus.facts.rules import describe_event
from membus.search.model import Memory, Removal
from membus.search.passages import find_speaker

_DETAILS_MAX, _DETAIL_CHARACTERS_MAX = 20, 200


def fact_memory_id(owner: Owner, key: str) -> str:
    return f"fact:{owner.user}:{key}"


def event_memory_id(owner: Owner, event_id: str) -> str:
    """Return the id of an event's memory; no id holds a slash, so two users' events never share one."""
    return f"event:{owner.user}/{event_id}"


def project_fact(owner: Owner, fact: Fact) -> Memory:
    """Return the fact in words: its key, its value and its quote."""
    text = f"{fact.key.replace('.', ' ').replace('_', ' ')}: {fact.value}"
    quote = fact.provenance.quote
    return Memory(
        tenant_id=owner.tenant,
        memory_id=fact_memory_id(owner, fact.key),
        kind="fact",
        user_id=owner.user,
        text=f"{text} (“{quote}”)" if not is_blank(quote) else text,
        metadata={"key": fact.key, "kind": fact.kind, "trust": str(fact.trust)},
        source=MemorySource(event_id=fact.provenance.event_id),
        occurred_at=fact.valid_from,
        expires_at=None if fact.stays_when_over else fact.valid_until,
        version=fact.version,
    )


def project_observations(
    owner: Owner, observations: Sequence[Observation], *, version: int
) -> Memory | Removal:
    """Return the current fact of one key with its earlier values; a removal where it never had any."""
    values = [
        project_fact(owner, fact).model_copy(
            update={"occurred_at": start, "valid_until": end, "version": version}
        )
        for fact, start, end in fact_periods(observations)
        if not fact.is_retracted
    ]
    if not values:
        memory_id = fact_memory_id(owner, observations[0].key)
        return Removal(tenant_id=owner.tenant, memory_id=memory_id, version=version)
    last = values[-1]
    if last.valid_until is None:
        return last.model_copy(update={"earlier": tuple(values[:-1])})
    return last.model_copy(update={"text": "", "valid_until": None, "earlier": tuple(values)})


def summary_memory_id(conversation_id: str, chapter: Chapter) -> str:
    return f"summary:{conversation_id}:{chapter.level}:{chapter.first}"


def project_summary(conversation: Conversation, summary: Summary) -> Memory:
    """Return a summary of a conversation, in no session, where it would separate turns."""
    return Memory(
        tenant_id=conversation.tenant_id,
        memory_id=summary_memory_id(conversation.conversation_id, summary),
        kind="summary",
        user_id=conversation.user_id,
        agent_id=conversation.agent_id,
        text=summary.full_text,
        metadata={"level": summary.level, "first": summary.first, "last": summary.last},
        source=MemorySource(conversation_id=conversation.conversation_id),
        occurred_at=summary.created_at,
        version=summary.version,
    )


def project_event(event: Event) -> list[Memory]:
    """Return the memories of an event: what was said, a reply apart from its message, or what was done.

    A correction by hand is none: its fact is.
    """
    if event.type in {CORRECTED, RETRACTED}:
        return []
    return list(_spoken_memories(event)) or [
        _event_memory(event, event_memory_id(event.owner, event.event_id), _action_text(event), speaker=None)
    ]


def _spoken_memories(event: Event) -> Iterator[Memory]:
    payload, memory_id = event.payload, event_memory_id(event.owner, event.event_id)
    if event.type in {"message.sent", IMPORTED_EVENT_TYPE} and not is_blank(payload.get("text")):
        text = str(payload["text"])
        speaker = None if event.type == IMPORTED_EVENT_TYPE else _event_speaker(payload, text)
        yield _event_memory(event, memory_id, text, speaker=speaker)
    if event.type == "turn.recorded":
        for role, suffix in (("user", ""), ("assistant", ":reply")):
            side = payload.get(role)
            if isinstance(side, dict) and not is_blank(side.get("text")):
                yield _event_memory(event, memory_id + suffix, str(side["text"]), speaker=role)


def _event_memory(event: Event, memory_id: str, text: str, *, speaker: str | None) -> Memory:
    payload = event.payload
    return Memory(
        tenant_id=event.tenant_id,
        memory_id=memory_id,
        kind="episode",
        text=text,
        speaker=speaker,
        user_id=event.user_id,
        agent_id=event.agent_id,
        session=event.session_id or "",
        metadata={"type": event.type, **_details(payload)},
        source=MemorySource(
            event_id=event.event_id,
            conversation_id=_text(payload.get("conversation_id")),
            message_id=_text(payload.get("message_id")),
        ),
        occurred_at=event.occurred_at,
    )


def _action_text(event: Event) -> str:
    description = describe_event(event)
    if description != event.type:
        return description
    details = ", ".join(f"{name} {value}" for name, value in _details(event.payload).items())
    if not details:
        return event.type.replace(".", " ")
    return f"{event.type.replace('.', ' ').replace('_', ' ')}: {details}"


def _event_speaker(payload: Mapping[str, Any], text: str) -> str:
    """Return the speaker whom the payload names, or the text in front as transcripts do, else the role."""
    named = payload.get("speaker")
    if not is_blank(named):
        return str(named)[:_DETAIL_CHARACTERS_MAX]
    role = payload.get("role")
    return (find_speaker(text) or "user") if is_user_role(role) else str(role)


def _details(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the short and flat fields of a payload: names and figures, not texts."""
    short = {
        name: value
        for name, value in payload.items()
        if name != "text" and (isinstance(value, bool | int | float) or _is_short(value))
    }
    return dict(list(short.items())[:_DETAILS_MAX])


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _DETAIL_CHARACTERS_MAX


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
