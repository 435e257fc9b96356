"""Valid objects with every field defaulted: a test names only what it is about."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from membus.conversations.conversation import (
    Conversation,
    Message,
    PromptFootprint,
    PromptSection,
    Turn,
    WindowStart,
)
from membus.conversations.provenance import PromptProvenance
from membus.conversations.recall import RecallDecision
from membus.conversations.summary import Slot, Summary, SummaryCheckpoint, SummaryIndex, SummaryVerification
from membus.core.event import Event, RecordedEvent
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.episodes.archive.model import EpisodeRow
from membus.episodes.model import place_of
from membus.facts.candidates import Candidate
from membus.facts.fact import Fact, fold, group_by_key
from membus.facts.observation import Observation, Provenance, Trust
from membus.facts.ports import FactCommit, FactStore
from membus.llm.prompt import ChatMessage, Prompt, SystemBlock

ADA = Owner(tenant="acme", user="ada")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def an_event(event_id: str = "e1", *, owner: Owner = ADA, **fields: Any) -> Event:
    """Return what Ada said at noon: that she lives in Lisbon."""
    defaults: dict[str, Any] = {
        "event_id": event_id,
        "tenant_id": owner.tenant,
        "user_id": owner.user,
        "type": "message.sent",
        "occurred_at": NOON,
        "payload": {"text": "I live in Lisbon."},
    }
    return Event.model_validate(defaults | fields)


def said(text: str, event_id: str = "e1", **fields: Any) -> Event:
    return an_event(event_id, payload={"text": text}, **fields)


def a_server_error(event_id: str, *, at: datetime = NOON, status: object = 500, **fields: Any) -> Event:
    payload = {"status": status, "path": "/checkout"}
    return an_event(event_id, type="error.shown", occurred_at=at, payload=payload, **fields)


def a_setting(event_id: str = "s1", *, name: str = "theme", to: object = "dark", **fields: Any) -> Event:
    return an_event(event_id, type="setting.changed", payload={"name": name, "to": to}, **fields)


def recorded(event: Event | None = None, *, learned_at: datetime | None = None) -> RecordedEvent:
    """Return the event as the bus took it, a second after it happened."""
    event = event or an_event()
    return RecordedEvent(event=event, learned_at=learned_at or event.occurred_at + timedelta(seconds=1))


def a_cold_row(event_id: str = "e1", **fields: Any) -> EpisodeRow:
    """Return the event as the archiver packs it."""
    event = an_event(event_id, **fields)
    return EpisodeRow.from_item(
        place_of(event), recorded(event).model_dump_json(by_alias=True, exclude={"extracted"})
    )


def a_candidate(**fields: Any) -> Candidate:
    """Return the fact a good model reads in `an_event()`."""
    defaults: dict[str, Any] = {
        "event_id": "e1",
        "subject": "user",
        "attribute": "home.city",
        "value": "Lisbon",
        "quote": "I live in Lisbon",
        "kind": "place",
        "stance": "stated",
    }
    return Candidate.model_validate(defaults | fields)


def an_observation(value: str | None = "Lisbon", *, event_id: str = "e1", **fields: Any) -> Observation:
    """Return what `an_event()` says, learned a second after it became true."""
    valid_from = fields.get("valid_from", NOON)
    provenance = Provenance(
        event_id=event_id,
        event_type="message.sent",
        origin="api",
        quote=f"I live in {value}",
        model="scripted",
        prompt_version="1",
    )
    defaults: dict[str, Any] = {
        "key": "home.city",
        "value": value,
        "kind": "place",
        "trust": Trust.USER_STATED,
        "confidence": 0.9,
        "valid_from": valid_from,
        "learned_at": valid_from + timedelta(seconds=1),
        "provenance": provenance,
    }
    return Observation.model_validate(defaults | fields)


def a_fact(value: str | None = "Lisbon", **fields: Any) -> Fact:
    version, seen = fields.pop("version", 1), an_observation(value, **fields)
    return Fact(**dict(seen), version=version, last_seen=None if seen.is_retracted else seen.last_known_at)


def learn(
    facts: FactStore, owner: Owner, *observations: Observation, events: Iterable[RecordedEvent] = ()
) -> FactCommit:
    """Commit observations the way the extractor does, and return what was committed."""
    folded = (
        fold([*facts.list_observations(owner, key), *seen])
        for key, seen in group_by_key(observations).items()
    )
    current = tuple(fact for fact in folded if fact)
    learned = FactCommit(
        profile=facts.get_profile(owner).with_facts(current),
        extractor="v1",
        events=tuple(events),
        observations=observations,
        facts=current,
    )
    facts.commit(learned)
    return learned


def a_conversation(conversation_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZZ", **fields: Any) -> Conversation:
    defaults: dict[str, Any] = {
        "conversation_id": conversation_id,
        "tenant_id": ADA.tenant,
        "user_id": ADA.user,
        "created_at": NOON,
    }
    return Conversation.model_validate(defaults | fields)


def a_message(content: str = "hello", *, role: str = "user", **fields: Any) -> Message:
    defaults: dict[str, Any] = {
        "message_id": "01JZZZZZZZZZZZZZZZZZZZZZZA",
        "role": role,
        "content": content,
        "author": ADA.user,
        "tokens": estimate_tokens(content),
        "created_at": NOON,
    }
    return Message.model_validate(defaults | fields)


def a_turn(number: int = 0, *, request: str = "fingerprint", content: str = "hello") -> Turn:
    """Return turn `number` of a conversation; ids rise with the number."""
    said_at = NOON + timedelta(minutes=number)
    return Turn(
        user=a_message(content, message_id=f"{number:022d}USER", created_at=said_at),
        assistant=a_message(
            "hi",
            role="assistant",
            message_id=f"{number:022d}WISE",
            author="default",
            created_at=said_at + timedelta(seconds=2),
        ),
        request=request,
        stop_reason="end_turn",
        usage=TokenUsage(input=100, output=5),
        footprint=PromptFootprint(
            sections=(PromptSection(name="system", tokens=50),), budget=15_000, total_tokens=50
        ),
    )


def a_summary(text: str = "Ada lives in Lisbon.", **fields: Any) -> Summary:
    slot = Slot(kind="active_entities", text="Lisbon", message_id="01JZZZZZZZZZZZZZZZZZZZZZZA")
    defaults: dict[str, Any] = {
        "level": 0,
        "first": "01JZZZZZZZZZZZZZZZZZZZZZZA",
        "last": "01JZZZZZZZZZZZZZZZZZZZZZZB",
        "text": text,
        "slots": (slot,),
        "verification": SummaryVerification(slots=1, passes=1),
        "version": 1,
        "model": "scripted",
        "prompt_version": "1",
        "created_at": NOON,
    }
    return Summary.model_validate(defaults | fields)


def an_outline(version: int = 1, *, until: str = "01JZZZZZZZZZZZZZZZZZZZZZZB") -> SummaryIndex:
    border = SummaryCheckpoint(version=version, until=until, tokens=20 * version, messages=2 * version)
    return SummaryIndex(borders=(border,), created_at=NOON)


def a_provenance(turn: Turn) -> PromptProvenance:
    """Return what the prompt of the turn's reply was made of: the message alone."""
    return PromptProvenance(
        message_id=turn.assistant.message_id,
        user_message_id=turn.user.message_id,
        author=turn.user.author,
        at=NOON,
        model="scripted",
        prompt_hash="0" * 64,
        prompt_version="1",
        facts=(),
        outline_version=0,
        cut=WindowStart(),
        window_first=None,
        window_last=None,
        window_messages=0,
        entities="",
        need=RecallDecision(search=False, reason="statement"),
        recalled=(),
        fresh=(),
        rate=None,
    )


def a_prompt(text: str = "What do I like?") -> Prompt:
    blocks = (
        SystemBlock(name="system", text="Be kind.", cached=True),
        SystemBlock(name="profile", text="- likes.tea: tea"),
    )
    return Prompt(system=blocks, messages=(ChatMessage(role="user", text=text),))
