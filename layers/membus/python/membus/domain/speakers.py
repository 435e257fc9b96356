"""Who speaks in an event, as far as it was known by the time membus heard of the event, whenever it is read."""

from collections.abc import Iterable, Mapping, Sequence

from membus.domain.attributes import normalize_path
from membus.domain.candidate import Candidate, Extractor, Speaker
from membus.domain.event import RecordedEvent
from membus.domain.facts import fact_as_of
from membus.domain.gate import validate_candidate
from membus.domain.observations import Observation

TIMEZONE_KEY = "timezone"


def timezones_from_candidates(
    candidates: Iterable[Candidate], events: Mapping[str, RecordedEvent], extractor: Extractor
) -> list[Observation]:
    """Return what an answer says of the speaker's zone.

    What is said in the same batch counts its days by it.
    """
    named = (
        validate_candidate(each, events, extractor)
        for each in candidates
        if normalize_path(each.attribute) == TIMEZONE_KEY
    )
    return [verdict for verdict in named if isinstance(verdict, Observation)]


def resolve_speakers(events: Iterable[RecordedEvent], seen: Iterable[Observation]) -> dict[str, Speaker]:
    """Return each event's speaker with the zone that was true when it happened and heard of by the time it was."""
    zones = [each for each in seen if each.key == TIMEZONE_KEY]
    return {event.event.event_id: Speaker(timezone=_zone(event, zones)) for event in events}


def _zone(recorded: RecordedEvent, zones: Sequence[Observation]) -> str | None:
    known = fact_as_of(zones, true_at=recorded.true_from, known_at=recorded.learned_at)
    return known.value if known else None
