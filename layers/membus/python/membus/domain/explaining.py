"""Why a fact is believed.

Its event and words, its reader and the cost, what it replaced and what contradicts it.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime

from membus.domain.event import Event
from membus.domain.facts import Fact, FactVersion, list_versions
from membus.domain.identity import Id, Record
from membus.domain.observations import Observation
from membus.domain.prompt import TokenUsage

SHARE_DECIMALS = 9
"""Decimals that a share is kept with: a token of the cheapest model costs a ten-millionth of a dollar."""


class ReadingCost(Record):
    """What reading one event took: its part of every question that held its words, in tokens and dollars.

    `shared_by` counts the events of the question; `dollars` is None where the price list does not know the
    model.
    """

    model: str
    prompt_version: str
    shared_by: int
    questions: int = 1
    tokens_in: float
    tokens_out: float
    dollars: float | None

    def __add__(self, other: "ReadingCost") -> "ReadingCost":
        """Return what several questions about parts of one long event took together."""
        dollars = None if self.dollars is None or other.dollars is None else self.dollars + other.dollars
        return self.model_copy(
            update={
                "questions": self.questions + other.questions,
                "tokens_in": self.tokens_in + other.tokens_in,
                "tokens_out": self.tokens_out + other.tokens_out,
                "dollars": dollars,
            }
        )


def reading_cost_per_event(
    usage: TokenUsage, *, model: str, prompt_version: str, shared_by: int
) -> ReadingCost:
    """Return one event's part of a question's usage.

    What came from the provider's cache counts as read in.
    """
    read_in = usage.input + usage.cache_read + usage.cache_write
    return ReadingCost(
        model=model,
        prompt_version=prompt_version,
        shared_by=shared_by,
        tokens_in=round(read_in / shared_by, SHARE_DECIMALS),
        tokens_out=round(usage.output / shared_by, SHARE_DECIMALS),
        dollars=None if usage.dollars is None else round(usage.dollars / shared_by, SHARE_DECIMALS),
    )


class EventTrace(Record):
    """What the store of events says of one.

    The event itself, unless it has moved to the cold tier, and its reading.
    """

    event: Event | None
    extracted: str | None
    share: ReadingCost | None = None


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
    others = [each for each in told if not each.current and not each.says_as(fact)]
    named = {each.event_id for each in fact.conflicts}
    rest = [each for each in others if each.provenance.event_id not in named]
    taken_back = max((each.version for each in rest if each.retracted), default=0)
    replaced = tuple(each for each in rest if each.held <= fact.held or each.version <= taken_back)
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
