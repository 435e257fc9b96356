"""Purge of an event, or of all that a fact rests on: what it would take."""

from collections.abc import Sequence

from functions.api.purge.schemas import ChangedFact, PurgedEvent, PurgePreview
from membus.conversations.conversation import TURN_EVENT_PREFIX
from membus.core.errors import InvalidError, NotFoundError
from membus.core.event import FORGOTTEN
from membus.core.identity import Owner
from membus.episodes.ports import EventTraceReader
from membus.facts.fact import Fact, fold, group_by_key
from membus.facts.ports import FactReader

EVENTS_MAX = 100


def find_evidence_events(owner: Owner, key: str, facts: FactReader) -> list[str]:
    """Return the events that say or correct a fact, in the order of learning.

    Raises:
        NotFoundError: nothing was ever known under the key.
        InvalidError: `too_many_events`, more than one purge takes.
    """
    events = list(dict.fromkeys(each.provenance.event_id for each in facts.list_observations(owner, key)))
    if not events:
        raise NotFoundError(f"nothing is known under {key}")
    if len(events) > EVENTS_MAX:
        detail = f"{len(events)} events say so, and a purge takes {EVENTS_MAX}: purge events one by one"
        raise InvalidError(detail, code="too_many_events")
    return events


def require_event(owner: Owner, event_id: str, traces: EventTraceReader) -> None:
    """Raise NotFoundError where nothing of the event is kept."""
    trace = traces.find_trace(owner, event_id)
    if trace is None or trace.extracted == FORGOTTEN:
        raise NotFoundError("no such event is recorded for this user")


def preview_purge(
    owner: Owner, events: Sequence[str], *, facts: FactReader, traces: EventTraceReader
) -> PurgePreview:
    stored = facts.list_observations(owner)
    left = [each for each in stored if each.provenance.event_id not in events]
    before, after = ({key: fold(seen) for key, seen in group_by_key(some).items()} for some in (stored, left))
    touched = {each.key for each in stored if each.provenance.event_id in events}
    changed = [
        ChangedFact(key=key, before=_value(before.get(key)), after=_value(after.get(key)))
        for key in sorted(touched)
    ]
    return PurgePreview(
        events=[_describe_event(owner, event_id, traces) for event_id in events],
        facts=[each for each in changed if each.before != each.after],
        observations=len(stored) - len(left),
        turns=sum(event_id.startswith(TURN_EVENT_PREFIX) for event_id in events),
    )


def _describe_event(owner: Owner, event_id: str, traces: EventTraceReader) -> PurgedEvent:
    trace = traces.find_trace(owner, event_id)
    event = trace.event if trace else None
    return PurgedEvent(
        event_id=event_id,
        type=event.type if event else None,
        occurred_at=event.occurred_at if event else None,
    )


def _value(fact: Fact | None) -> str | None:
    return fact.value if fact else None
