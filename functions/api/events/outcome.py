"""What became of one event: what it taught, what waits for review, and what was refused, with the reason."""

import json

from functions.api.events.schemas import DoubtfulFact, EventOutcome, EventStatus, LearnedFact
from membus.core.event import FORGOTTEN, RecordedEvent
from membus.core.identity import Owner
from membus.episodes.model import EventTrace
from membus.facts import rules
from membus.facts.candidates import ANSWERS_ADAPTER, Extractor, Rejection, ReviewRequest, Verdict
from membus.facts.corrections import observe_correction
from membus.facts.observation import Observation
from membus.facts.validation.dates import find_zone
from membus.facts.validation.validator import validate_candidate
from membus.tenants.settings import ExtractionSettings, MemorySettings

_PROMPT = "prompt-"
"""Part of the extractor version of an event that a model has read."""
NOTE_VALUE_MAX = 60


def describe_outcome(
    owner: Owner, event_id: str, trace: EventTrace, settings: MemorySettings
) -> EventOutcome:
    """Return what became of an event, by what models proposed and by today's validation, rules and settings."""
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
        notes=_notes(trace),
    )
    if trace.event is None or trace.learned_at is None:
        return outcome
    recorded = RecordedEvent(event=trace.event, learned_at=trace.learned_at)
    outcome.counted_by = [
        rule.name for signal in rules.find_signals(recorded) for rule in signal.rule_group.rules
    ]
    by_rule = [*observe_correction(recorded), *rules.observe_action(recorded)]
    outcome.facts = [_learned(seen) for seen in by_rule]
    own = settings.extraction_of(trace.event.agent_id)
    for attribute, value, verdict in _verdicts(recorded, trace, own):
        match verdict:
            case Observation():
                outcome.facts.append(_learned(verdict))
            case ReviewRequest(reason=reason):
                outcome.review.append(DoubtfulFact(attribute=attribute, value=value, reason=reason))
            case Rejection(reason=reason):
                outcome.refused.append(DoubtfulFact(attribute=attribute, value=value, reason=reason))
    return outcome


def _notes(trace: EventTrace) -> list[str]:
    named = trace.event.payload.get("timezone") if trace.event else None
    if named is None or (isinstance(named, str) and find_zone(named)):
        return []
    shown = json.dumps(named, ensure_ascii=False)[:NOTE_VALUE_MAX]
    instead = "days are counted in the offset of occurred_at, in the user's known zone or in UTC"
    return [f"payload.timezone: no zone is known as {shown}; {instead}"]


def _status(trace: EventTrace) -> EventStatus:
    if trace.extracted == FORGOTTEN:
        return "left_out"
    if trace.extracted is None:
        return "waiting"
    if trace.event is None or rules.needs_model(trace.event):
        return "read" if _PROMPT in trace.extracted else "rules_only"
    return "read" if rules.needs_extraction(trace.event) else "recorded"


def _verdicts(
    recorded: RecordedEvent, trace: EventTrace, own: ExtractionSettings
) -> list[tuple[str, str, Verdict]]:
    """Return the verdict on each candidate of the newest answer, which is by the highest prompt version."""
    if not trace.answers:
        return []
    newest = max(trace.answers, key=lambda name: (len(name.partition(":")[0]), name))
    events = {recorded.event_id: recorded}
    verdicts = []
    for answer in ANSWERS_ADAPTER.validate_json(trace.answers[newest]):
        extractor = Extractor(model=answer.by, prompt_version=newest.partition(":")[0], settings=own)
        for candidate in answer.candidates:
            verdict = validate_candidate(candidate, events, extractor)
            is_secret = isinstance(verdict, Rejection) and verdict.reason == "secret"
            value = "(a secret, which is not kept)" if is_secret else candidate.value
            verdicts.append((candidate.attribute, value, verdict))
    return verdicts


def _learned(seen: Observation) -> LearnedFact:
    return LearnedFact(key=seen.key, value=seen.value, denies=seen.denies)
