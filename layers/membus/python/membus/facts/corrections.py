"""Corrections.

What a person changed by hand, as events that teach the same whoever reads them, and whenever.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from membus.core.event import Event, Moment, RecordedEvent
from membus.core.identity import Owner, Record
from membus.core.text.normalization import is_blank
from membus.facts.attributes import FactKey, canonical_key
from membus.facts.observation import VALUE_MAX, FactKind, Observation, Provenance, Trust

CORRECTED, RETRACTED = "fact.corrected", "fact.retracted"
RESERVED_TYPE_PREFIX = "fact."
"""Event types that begin so are what membus itself says about facts.

No caller may send them as what a user did.
"""
CORRECTIONS_VERSION = "corrections-1"
"""Stands where an extractor version would: the event was read by the function that recorded it."""
KEY_BYTES_MAX = 400
"""With the longest event id behind it, a sort key must stay below 1,024 bytes."""
QUOTE_MAX = 200
_KINDS: dict[str, FactKind] = {
    "home": "place",
    "origin": "place",
    "visited": "place",
    "likes": "preference",
    "dislikes": "preference",
    "diet": "preference",
    "hobby": "preference",
    "owns": "possession",
    "pet": "possession",
    "work": "work",
    "skill": "work",
    "goal": "goal",
    "plan": "plan",
    "relationship": "relationship",
    "family": "relationship",
    "friend": "relationship",
    "event": "experience",
    "education": "experience",
    "allergy": "health",
    "frustrated_by": "behaviour",
    "setting": "setting",
}


def _case_folded(key: str) -> str:
    """Refuse what would lie beside the fact it means to correct: every key that membus makes is case-folded.

    That is lower case but for Cherokee, which folds to its capitals, and letters like `ß`, which fold to two.
    """
    if key != key.casefold():
        raise ValueError("a fact's key is written in lower case")
    if len(key.encode()) > KEY_BYTES_MAX:
        raise ValueError(f"a fact's key takes at most {KEY_BYTES_MAX} bytes")
    return key


def _visible(value: str) -> str:
    if is_blank(value):
        raise ValueError("a value needs visible text")
    return value


CorrectedKey = Annotated[FactKey, AfterValidator(_case_folded), AfterValidator(canonical_key)]
CorrectedValue = Annotated[str, Field(max_length=VALUE_MAX), AfterValidator(_visible)]


class Correction(Record):
    """The payload of a correction; a retraction has no value, and is true from the moment it was made."""

    key: CorrectedKey
    value: CorrectedValue | None = None
    kind: FactKind | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None

    @property
    def event_type(self) -> str:
        return RETRACTED if self.value is None else CORRECTED


def next_correction_time(seen: Iterable[Observation], now: datetime) -> datetime:
    """Return `now`, or just after what people said before.

    No clock that is late may undo the order of their words.
    """
    said = (max(each.valid_from, each.learned_at) for each in seen if each.trust is Trust.CORRECTED)
    return max([now, *(moment + timedelta(milliseconds=1) for moment in said)])


def correction_event(correction: Correction, owner: Owner, *, event_id: str, at: datetime) -> RecordedEvent:
    """Return the event that says so, heard the moment it happened."""
    event = Event(
        event_id=event_id,
        tenant_id=owner.tenant,
        user_id=owner.user,
        type=correction.event_type,
        occurred_at=at,
        payload=correction.model_dump(mode="json", exclude_none=True),
        origin="api",
    )
    return RecordedEvent(event=event, learned_at=at)


def kind_of_key(key: str) -> FactKind:
    """Return the kind a key's first segment speaks of; what no other kind claims says who somebody is."""
    return _KINDS.get(key.split(".", 1)[0], "identity")


def observe_correction(recorded: RecordedEvent) -> list[Observation]:
    """Return the one observation that a correction or retraction is.

    None for any other event, or a malformed one.
    """
    said = _correction(recorded.event)
    if said is None:
        return []
    event = recorded.event
    words = f"set {said.key} to {said.value}" if said.value else f"took back {said.key}"
    provenance = Provenance(
        event_id=event.event_id,
        event_type=event.type,
        origin=event.origin,
        quote=words[:QUOTE_MAX],
        rule="correction",
    )
    return [
        Observation(
            key=said.key,
            value=said.value,
            kind=said.kind or kind_of_key(said.key),
            trust=Trust.CORRECTED,
            confidence=1.0,
            valid_from=said.valid_from or event.occurred_at,
            valid_until=said.valid_until,
            learned_at=recorded.learned_at,
            provenance=provenance,
        )
    ]


def _correction(event: Event) -> Correction | None:
    if event.type not in {CORRECTED, RETRACTED}:
        return None
    try:
        said = Correction.model_validate(event.payload)
    except ValidationError:
        return None
    if event.type == RETRACTED:
        return said.model_copy(update={"value": None, "valid_from": None, "valid_until": None})
    return said if said.value is not None else None
