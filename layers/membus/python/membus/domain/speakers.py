"""Who speaks in an event, as far as it was known by the time membus heard of the event, whenever it is read."""

from collections.abc import Iterable, Mapping, Sequence

from membus.domain.attributes import normal_path
from membus.domain.candidate import Candidate, Extractor, Speaker
from membus.domain.event import Recorded
from membus.domain.facts import fact_as_of
from membus.domain.gate import admit
from membus.domain.observations import Observation

ZONE = "timezone"


def zones_named(
    candidates: Iterable[Candidate], events: Mapping[str, Recorded], extractor: Extractor
) -> list[Observation]:
    """Return what an answer says of the speaker's zone.

    What is said in the same batch counts its days by it.
    """
    named = (admit(each, events, extractor) for each in candidates if normal_path(each.attribute) == ZONE)
    return [verdict for verdict in named if isinstance(verdict, Observation)]


def speakers_of(events: Iterable[Recorded], seen: Iterable[Observation]) -> dict[str, Speaker]:
    """Return each event's speaker with the zone that was true when it happened and heard of by the time it was."""
    zones = [each for each in seen if each.key == ZONE]
    return {event.event.event_id: Speaker(timezone=_zone(event, zones)) for event in events}


def _zone(recorded: Recorded, zones: Sequence[Observation]) -> str | None:
    known = fact_as_of(zones, true_at=recorded.true_from, known_at=recorded.learned_at)
    return known.value if known else None
