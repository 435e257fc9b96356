"""Corrections: what a person changed or retracted by hand, as events."""

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
"""The prefix of event types that membus itself sends about facts; no caller may send them."""
CORRECTIONS_VERSION = "corrections-1"
"""The extractor version of a correction, which the API reads as it records it."""
KEY_BYTES_MAX = 400
"""A sort key is a key and an event id, and takes at most 1,024 bytes."""
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
    """Refuse a key that is not case-folded, as every stored key is: it would miss the fact it corrects.

    Case-folded is lower case but for Cherokee, which folds to its capitals, and letters like `ß`, which fold
    to two.
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
    """The payload of a correction; a retraction has no value and is true from the moment it was made.

    A `pinned` one stands against what the user says later, until a person changes it.
    """

    key: CorrectedKey
    value: CorrectedValue | None = None
    kind: FactKind | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None
    pinned: bool = Field(default=False, strict=True, exclude_if=lambda pinned: not pinned)

    @property
    def event_type(self) -> str:
        return RETRACTED if self.value is None else CORRECTED


def next_correction_time(seen: Iterable[Observation], now: datetime) -> datetime:
    """Return `now`, or a moment after what was known before it: a slow clock must not change their order."""
    moments = (
        max(each.valid_from, each.learned_at) if each.trust is Trust.CORRECTED else each.heard_at
        for each in seen
    )
    return max([now, *(moment + timedelta(milliseconds=1) for moment in moments)])


def correction_event(correction: Correction, owner: Owner, *, event_id: str, at: datetime) -> RecordedEvent:
    """Return the event of a correction, learned at the moment it happened."""
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
    """Return the kind of a key by its first segment; of any other key, `identity`."""
    return _KINDS.get(key.split(".", 1)[0], "identity")


def observe_correction(recorded: RecordedEvent) -> list[Observation]:
    """Return the observation of a correction or retraction; of any other event, or a malformed one, none."""
    event = recorded.event
    correction = _correction(event)
    if correction is None:
        return []
    key, value = correction.key, correction.value
    quote = f"set {key} to {value}" if value else f"took back {key}"
    provenance = Provenance(
        event_id=event.event_id,
        event_type=event.type,
        origin=event.origin,
        quote=quote[:QUOTE_MAX],
        rule="correction",
    )
    return [
        Observation(
            key=key,
            value=value,
            kind=correction.kind or kind_of_key(key),
            trust=Trust.CORRECTED,
            confidence=1.0,
            valid_from=correction.valid_from or event.occurred_at,
            valid_until=correction.valid_until,
            learned_at=recorded.learned_at,
            provenance=provenance,
            pinned=correction.pinned,
        )
    ]


def _correction(event: Event) -> Correction | None:
    if event.type not in {CORRECTED, RETRACTED}:
        return None
    try:
        correction = Correction.model_validate(event.payload)
    except ValidationError:
        return None
    if event.type == RETRACTED:
        return Correction(key=correction.key, kind=correction.kind)
    return correction if correction.value is not None else None
