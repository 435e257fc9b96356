"""What became of one event: what it taught, what waits for review, and what was refused, with the reason."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

from membus.core.event import FORGOTTEN, RecordedEvent
from membus.core.identity import Owner
from membus.episodes.model import EventTrace
from membus.facts import rules
from membus.facts.candidates import (
    EventAnswer,
    Extractor,
    Rejection,
    ReviewRequest,
    Verdict,
    VerdictReason,
)
from membus.facts.corrections import observe_correction
from membus.facts.observation import Observation
from membus.facts.validation.validator import validate_candidate

EventStatus = Literal["read", "recorded", "waiting", "rules_only", "left_out"]
STATUS_DESCRIPTION = (
    "`read`: rules and model have read it; `recorded`: it is kept, and there is nothing to learn from it;"
    " `waiting`: it is recorded and will be read; `rules_only`: no budget was left for the model;"
    " `left_out`: it was not to be remembered, or was erased"
)
_ANSWERS = TypeAdapter(tuple[EventAnswer, ...])
_PROMPT = "prompt-"


class LearnedFact(BaseModel):
    """A fact that the event states, or with `denies` ends; its history says whether it is current."""

    key: str
    value: str | None
    denies: bool = False


class DoubtfulFact(BaseModel):
    """A proposal that waits for review, or was refused."""

    attribute: str
    value: str
    reason: VerdictReason


class EventOutcome(BaseModel):
    event_id: str
    user_id: str
    status: EventStatus = Field(description=STATUS_DESCRIPTION)
    type: str | None = Field(description="null where the event is in the archive alone, or left out")
    occurred_at: AwareDatetime | None
    extractor: str | None = Field(description="the version of rules, prompt and validation that has read it")
    facts: list[LearnedFact]
    counted_by: list[str] = Field(description="rules that count this event; they learn from several together")
    review: list[DoubtfulFact]
    refused: list[DoubtfulFact]


def describe_outcome(owner: Owner, event_id: str, trace: EventTrace) -> EventOutcome:
    """Return what became of an event, by what models proposed and by today's validation and rules."""
    outcome = EventOutcome(
        event_id=event_id,
        user_id=owner.user,
        status=_status(trace),
        type=trace.event.type if trace.event else None,
        occurred_at=trace.event.occurred_at if trace.event else None,
        extractor=trace.extracted,
        facts=[],
        counted_by=[],
        review=[],
        refused=[],
    )
    if trace.event is None or trace.learned_at is None:
        return outcome
    recorded = RecordedEvent(event=trace.event, learned_at=trace.learned_at)
    outcome.counted_by = [
        rule.name for signal in rules.find_signals(recorded) for rule in signal.rule_group.rules
    ]
    by_rule = [*observe_correction(recorded), *rules.observe_action(recorded)]
    outcome.facts = [_learned(seen) for seen in by_rule]
    for attribute, value, verdict in _verdicts(recorded, trace):
        match verdict:
            case Observation():
                outcome.facts.append(_learned(verdict))
            case ReviewRequest(reason=reason):
                outcome.review.append(DoubtfulFact(attribute=attribute, value=value, reason=reason))
            case Rejection(reason=reason):
                outcome.refused.append(DoubtfulFact(attribute=attribute, value=value, reason=reason))
    return outcome


def _status(trace: EventTrace) -> EventStatus:
    if trace.extracted == FORGOTTEN:
        return "left_out"
    if trace.extracted is None:
        return "waiting"
    if trace.event is None or rules.needs_model(trace.event):
        return "read" if _PROMPT in trace.extracted else "rules_only"
    return "read" if rules.needs_extraction(trace.event) else "recorded"


def _verdicts(recorded: RecordedEvent, trace: EventTrace) -> list[tuple[str, str, Verdict]]:
    """Return the verdict on each candidate of the newest answer, which is by the highest prompt version."""
    if not trace.answers:
        return []
    newest = max(trace.answers, key=lambda name: (len(name.partition(":")[0]), name))
    events = {recorded.event_id: recorded}
    verdicts = []
    for answer in _ANSWERS.validate_json(trace.answers[newest]):
        extractor = Extractor(model=answer.by, prompt_version=newest.partition(":")[0])
        for candidate in answer.candidates:
            verdict = validate_candidate(candidate, events, extractor)
            is_secret = isinstance(verdict, Rejection) and verdict.reason == "secret"
            value = "(a secret, which is not kept)" if is_secret else candidate.value
            verdicts.append((candidate.attribute, value, verdict))
    return verdicts


def _learned(seen: Observation) -> LearnedFact:
    return LearnedFact(key=seen.key, value=seen.value, denies=seen.denies)
