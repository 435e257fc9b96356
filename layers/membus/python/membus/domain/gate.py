"""The gate between what a model proposes and what memory believes: the model proposes, this code disposes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from membus.domain.attributes import fact_key, is_single_valued, normalize_path
from membus.domain.behaviour import ACTIVITY_ROOT
from membus.domain.candidate import Candidate, Extractor, Speaker
from membus.domain.event import RecordedEvent
from membus.domain.observations import Observation, Provenance, Trust
from membus.domain.utterance import stance
from membus.domain.utterance.dates import ValidityPeriod, find_validity, speaker_zone
from membus.domain.utterance.evidence import Evidence, find_evidence
from membus.domain.utterance.secrets import contains_secret
from membus.domain.utterance.signs import find_objection
from membus.domain.utterance.text import normalize_characters, normalize_text
from membus.domain.utterance.words import is_repetitive, mentions_value, repeats_prompt
from membus.domain.verdict import REVIEW_REASONS, Rejection, ReviewRequest, Verdict, VerdictReason
from membus.domain.visible import is_blank

VALIDATION_VERSION = "2"
"""Part of the extractor version: what another gate would let through is read again."""
RESERVED_ATTRIBUTES = frozenset({"setting", "frustrated_by", ACTIVITY_ROOT})
"""Attributes that only the rules write: what a user does is not for a model to claim."""
CANDIDATE_VALUE_MAX = 200
"""A longer value is a passage, not a fact."""
QUOTE_MAX = 300
"""Evidence is kept with every fact and in the profile; a model may quote a whole letter."""
CHANGES_MAX = 6
"""How many single-valued attributes one event may set, and so how many facts it may supersede.

Name, age, city, role, employer and diet make a full introduction; what sets more rewrites somebody, and a
person looks at it first.
"""
CONFIDENCE, HEARSAY_CONFIDENCE = 0.9, 0.5


UNKNOWN_SPEAKER = Speaker()


def validate_candidates(
    candidates: Sequence[Candidate],
    events: Mapping[str, RecordedEvent],
    extractor: Extractor,
    speakers: Mapping[str, Speaker] = MappingProxyType({}),
) -> list[Verdict]:
    """Return the verdict on each candidate of one answer, in their order.

    An event that changes too much is held.

    `speakers` say by event id who spoke, as far as anything is known of them.
    """
    verdicts = [
        validate_candidate(each, events, extractor, speakers.get(each.event_id, UNKNOWN_SPEAKER))
        for each in candidates
    ]
    changed = {
        (seen.provenance.event_id, seen.key)
        for seen in verdicts
        if isinstance(seen, Observation) and is_single_valued(seen.key)
    }
    changes = Counter(event_id for event_id, _ in changed)
    return [
        _capped(verdict, changes) if isinstance(verdict, Observation) else verdict for verdict in verdicts
    ]


def validate_candidate(
    candidate: Candidate,
    events: Mapping[str, RecordedEvent],
    extractor: Extractor,
    speaker: Speaker = UNKNOWN_SPEAKER,
) -> Verdict:
    """Return the observation that a candidate becomes, or why it does not.

    A candidate is refused unless its quote stands in the words of the event it names, word for word but for
    case, white space and invisible characters, its value was said there, and there the words themselves,
    whatever the model makes of them, state something of the user that is so.
    """
    recorded = events.get(candidate.event_id)
    if recorded is None:
        return Rejection(reason="unknown_event")
    speech = recorded.event.speech or ""
    places = find_evidence(candidate.quote, candidate.value, speech)
    refused = _claimed(candidate, speaker, recorded) or (None if places else "ungrounded")
    if refused:
        return Rejection(reason=refused)
    reason, place = _content(candidate, extractor), places[0]
    if reason is None:
        reason, place = _wording(candidate, places)
    if reason and reason not in REVIEW_REASONS:
        return Rejection(reason=reason)
    unfit = _unfit(candidate, speech)
    if unfit:
        return Rejection(reason=unfit)
    when = _dated(candidate, place, recorded, speaker)
    reason = reason or _timing(candidate, place, when)
    if reason and reason not in REVIEW_REASONS:
        return Rejection(reason=reason)
    observation = _observation(candidate, recorded, extractor, when, hearsay=reason == "hearsay")
    return ReviewRequest(reason=reason, observation=observation) if reason else observation


def is_grounded(candidate: Candidate, recorded: RecordedEvent) -> bool:
    """Whether quote, value and subject of a candidate are the event's own, whatever may be made of them."""
    speech = recorded.event.speech or ""
    if candidate.subject.strip().casefold() not in _names(UNKNOWN_SPEAKER, recorded) and not _spoken(
        candidate.subject, speech
    ):
        return False
    return bool(find_evidence(candidate.quote, candidate.value, speech)) and mentions_value(
        normalize_text(candidate.quote), normalize_text(speech), normalize_text(candidate.value)
    )


def _spoken(words: str, speech: str) -> bool:
    return normalize_text(words) in normalize_text(speech)


def _capped(seen: Observation, changes: Counter[str]) -> Verdict:
    over = is_single_valued(seen.key) and changes[seen.provenance.event_id] > CHANGES_MAX
    return ReviewRequest(reason="too_many_changes", observation=seen) if over else seen


def _claimed(candidate: Candidate, speaker: Speaker, recorded: RecordedEvent) -> VerdictReason | None:
    """Return why the candidate is refused by what it claims of itself."""
    if any(
        map(contains_secret, (normalize_characters(candidate.value), normalize_characters(candidate.quote)))
    ):
        return "secret"
    if candidate.stance != "stated":
        return candidate.stance
    return None if candidate.subject.strip().casefold() in _names(speaker, recorded) else "third_party"


def _names(speaker: Speaker, recorded: RecordedEvent) -> set[str]:
    """Return what the speaker may be called as a subject."""
    named = (*speaker.names, recorded.event.payload.get("speaker"), recorded.event.user_id)
    return {"user", *(name.strip().casefold() for name in named if isinstance(name, str))} - {""}


def _content(candidate: Candidate, extractor: Extractor) -> VerdictReason | None:
    """Return what the value or the quote holds that no fact may hold, wherever it stands."""
    if repeats_prompt(normalize_text(candidate.quote), normalize_text(extractor.instructions)):
        return "prompt"
    if normalize_path(candidate.attribute).split(".")[0] in RESERVED_ATTRIBUTES:
        return "reserved"
    return None


def _wording(candidate: Candidate, places: Sequence[Evidence]) -> tuple[VerdictReason | None, Evidence]:
    """Return why the words do not say so, None where they do in one place at least, and the place that decides."""
    attribute = normalize_path(candidate.attribute)
    judged = [
        (find_objection(place, attribute=attribute, value=candidate.value, quote=candidate.quote), place)
        for place in places
    ]
    return next((each for each in judged if each[0] is None), judged[0])


def _unfit(candidate: Candidate, speech: str) -> VerdictReason | None:
    """Return why no observation can be made of the candidate, whatever its words."""
    value = " ".join(candidate.value.split())
    if (
        fact_key(candidate.attribute, value) is None
        or is_blank(value)
        or len(value) > CANDIDATE_VALUE_MAX
        or is_repetitive(value)
    ):
        return "malformed"
    return (
        None
        if mentions_value(normalize_text(candidate.quote), normalize_text(speech), normalize_text(value))
        else "unsaid"
    )


def _timing(candidate: Candidate, place: Evidence, when: ValidityPeriod) -> VerdictReason | None:
    attribute = normalize_path(candidate.attribute)
    if when.ahead or stance.is_future(place, attribute):
        return "not_yet"
    return "past" if stance.is_past(place, attribute) and when.ends is None else None


def _dated(
    candidate: Candidate, place: Evidence, recorded: RecordedEvent, speaker: Speaker
) -> ValidityPeriod:
    event = recorded.event
    zone = speaker_zone(event.occurred_at, event.payload.get("timezone"), speaker.timezone)
    return find_validity(place, normalize_path(candidate.attribute), recorded.true_from, zone)


def _observation(
    candidate: Candidate,
    recorded: RecordedEvent,
    extractor: Extractor,
    when: ValidityPeriod,
    *,
    hearsay: bool,
) -> Observation:
    event, value = recorded.event, " ".join(candidate.value.split())
    begins = when.begins or min(recorded.true_from, when.ends or recorded.true_from)
    return Observation(
        key=fact_key(candidate.attribute, value) or "",
        value=value,
        kind=candidate.kind,
        trust=Trust.THIRD_PARTY if hearsay else Trust.USER_STATED,
        confidence=HEARSAY_CONFIDENCE if hearsay else CONFIDENCE,
        valid_from=begins,
        valid_until=when.ends,
        learned_at=recorded.learned_at,
        said_at=recorded.true_from if begins != recorded.true_from else None,
        provenance=Provenance(
            event_id=event.event_id,
            event_type=event.type,
            origin=event.origin,
            agent_id=event.agent_id,
            quote=candidate.quote.strip()[:QUOTE_MAX],
            model=extractor.model,
            prompt_version=extractor.prompt_version,
        ),
    )
