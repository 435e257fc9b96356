"""Why a fact is believed.

Its event and words, its reader and the cost, what it replaced and what contradicts it.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from membus.core.identity import Id, Record
from membus.episodes.model import EventTrace, ReadingCost
from membus.facts.fact import Fact, FactVersion, list_versions
from membus.facts.observation import Observation


class FactCause(Record):
    """The event behind a fact; what only the event itself says is missing where it lies cold."""

    event_id: Id
    type: str
    learned_at: AwareDatetime
    occurred_at: AwareDatetime | None = None
    agent_id: str | None = None
    session_id: str | None = None


EXPLAINED_OBSERVATIONS_MAX = 200
"""So many of a key's newest observations explain it; its history has them all."""


class FactExplanation(Record):
    """`channel` is the door that the event came through.

    `read_by` says whether a model, a rule or a person spoke.
    """

    event: FactCause
    quote: str
    channel: str
    read_by: Literal["model", "rule", "person"]
    model: str | None
    prompt_version: str | None
    rule: str | None
    cost: ReadingCost | None
    replaced: tuple[FactVersion, ...]
    conflicts: tuple[FactVersion, ...]
    overruled: tuple[FactVersion, ...]


def build_explanation(fact: Fact, seen: Sequence[Observation], trace: EventTrace | None) -> FactExplanation:
    """Return why `fact` is believed, from the newest observations of its key and the trace of its event.

    What says otherwise is told apart as the fold does: `conflicts` are those that the fact carries, believed
    as much; of the rest, `replaced` held before it or until it was taken back, with that word, and
    `overruled` speak of a later time and are believed less.
    """
    told = list_versions(seen, first=fact.version - len(seen) + 1, believed=fact.provenance.event_id)
    others = [each for each in told if not each.current and not each.has_same_value_as(fact)]
    named = {each.event_id for each in fact.conflicts}
    rest = [each for each in others if each.provenance.event_id not in named]
    taken_back = max((each.version for each in rest if each.is_retracted), default=0)
    replaced = tuple(
        each for each in rest if each.last_known_at <= fact.last_known_at or each.version <= taken_back
    )
    why = fact.provenance
    event = trace.event if trace else None
    return FactExplanation(
        event=FactCause(
            event_id=why.event_id,
            type=why.event_type,
            learned_at=fact.learned_at,
            occurred_at=event.occurred_at if event else None,
            agent_id=event.agent_id if event else None,
            session_id=event.session_id if event else None,
        ),
        quote=why.quote,
        channel=why.origin,
        read_by=_reader(fact),
        model=why.model,
        prompt_version=why.prompt_version,
        rule=why.rule,
        cost=trace.share if trace and why.model else None,
        replaced=replaced,
        conflicts=tuple(each for each in others if each.provenance.event_id in named),
        overruled=tuple(each for each in rest if each not in replaced),
    )


def _reader(fact: Fact) -> Literal["model", "rule", "person"]:
    if fact.provenance.model:
        return "model"
    return "person" if fact.trust == "corrected" else "rule"
