"""Why a fact is believed: its event, quote, reader and cost, what it replaced and what contradicts it."""

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
"""The newest observations of a key that an explanation reads; the history has them all."""


class FactExplanation(Record):
    """`channel` is how the event came in.

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


def build_explanation(
    fact: Fact, observations: Sequence[Observation], trace: EventTrace | None
) -> FactExplanation:
    """Return the explanation of `fact` from the newest observations of its key and the trace of its event.

    Other values are told apart as the fold does: `conflicts` are those that the fact names, of equal trust.
    Of the rest, `replaced` were current before it or until a retraction, and `overruled` are later values of
    less trust.
    """
    first = fact.version - len(observations) + 1
    versions = list_versions(observations, first=first, believed=fact.provenance.event_id)
    others = [each for each in versions if not each.current and not each.has_same_value_as(fact)]
    conflicting = {each.event_id for each in fact.conflicts}
    rest = [each for each in others if each.provenance.event_id not in conflicting]
    retracted = max((each.version for each in rest if each.is_retracted), default=0)
    replaced = tuple(
        each for each in rest if each.last_known_at <= fact.last_known_at or each.version <= retracted
    )
    provenance, event = fact.provenance, trace.event if trace else None
    return FactExplanation(
        event=FactCause(
            event_id=provenance.event_id,
            type=provenance.event_type,
            learned_at=fact.learned_at,
            occurred_at=event.occurred_at if event else None,
            agent_id=event.agent_id if event else None,
            session_id=event.session_id if event else None,
        ),
        quote=provenance.quote,
        channel=provenance.origin,
        read_by=_reader(fact),
        model=provenance.model,
        prompt_version=provenance.prompt_version,
        rule=provenance.rule,
        cost=trace.share if trace and provenance.model else None,
        replaced=replaced,
        conflicts=tuple(each for each in others if each.provenance.event_id in conflicting),
        overruled=tuple(each for each in rest if each not in replaced),
    )


def _reader(fact: Fact) -> Literal["model", "rule", "person"]:
    if fact.provenance.model:
        return "model"
    return "person" if fact.trust == "corrected" else "rule"
