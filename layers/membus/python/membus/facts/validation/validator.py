"""The gate between what a model proposes and what memory believes: the model proposes, this code disposes.

The signs by which words turn out not to state something of their speaker, in the order in which they count.

Whether words were said, or are only said over and over.

Who speaks in an event, as far as it was known by the time membus heard of the event, whenever it is read.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from membus.core.event import RecordedEvent
from membus.core.text.normalization import is_blank, normalize_characters, normalize_text
from membus.core.text.terms import stem_words
from membus.facts.attributes import TIMEZONE_KEY, fact_key, is_single_valued, normalize_path
from membus.facts.behaviour_rules import ACTIVITY_ROOT
from membus.facts.candidates import (
    REVIEW_REASONS,
    Candidate,
    Extractor,
    Rejection,
    ReviewRequest,
    Speaker,
    Verdict,
    VerdictReason,
)
from membus.facts.fact import fact_as_of
from membus.facts.observation import Observation, Provenance, Trust
from membus.facts.text_checks import addresses_reader, contains_link, contains_secret
from membus.facts.validation import attribution, stance
from membus.facts.validation.attribution import is_about_another
from membus.facts.validation.dates import ValidityPeriod, find_validity, speaker_zone
from membus.facts.validation.evidence import Evidence, find_evidence, mentions_inflected

if TYPE_CHECKING:
    from collections.abc import Callable


def find_objection(place: Evidence, *, attribute: str, value: str, quote: str) -> VerdictReason | None:
    """Return the first sign against this place: whose words they are comes before what they say."""
    texts = (
        normalize_text(value),
        normalize_text(quote),
        normalize_text(place.speech[slice(*place.sentence)]),
    )
    signs: tuple[tuple[VerdictReason, Callable[[], bool]], ...] = (
        ("recalled", lambda: attribution.is_recalled(place)),
        ("assistant", lambda: attribution.is_assistant_text(place)),
        ("instruction", lambda: any(map(addresses_reader, texts))),
        ("url", lambda: any(map(contains_link, texts[:2]))),
        ("role_play", lambda: attribution.is_role_play(place)),
        ("hearsay", lambda: attribution.is_hearsay(place)),
        ("quoted", lambda: attribution.is_quoted(place)),
        ("question", lambda: stance.is_question(place)),
        ("third_party", lambda: is_about_another(place, attribute)),
        ("hypothetical", lambda: stance.is_hypothetical(place, attribute)),
        ("negated", lambda: stance.is_negated(place, attribute, value)),
        ("sarcasm", lambda: attribution.is_sarcastic(place)),
    )
    return next((reason for reason, shows in signs if shows()), None)


PROMPT_WORDS = 6
"""So many words of the prompt in a row are the prompt, not a person's."""
LOOP_WORDS = 6


def repeats_prompt(quote: str, instructions: str) -> bool:
    """Whether the quote holds a run of the words that the model was instructed with."""
    words = quote.split()
    runs = (" ".join(words[start : start + PROMPT_WORDS]) for start in range(len(words) - PROMPT_WORDS + 1))
    return any(run in instructions for run in runs)


def is_repetitive(value: str) -> bool:
    """Whether a value is a model's loop: six words or more that say the same two or fewer over and over."""
    words = value.casefold().split()
    return len(words) >= LOOP_WORDS and len(set(words)) * 3 <= len(words)


def mentions_value(quote: str, speech: str, value: str) -> bool:
    """Whether the value's words were said: one of them in the quote, two thirds of them in the whole event.

    Words are compared by their stems, so that `plays guitar` may rest on "I started playing guitar". Scripts
    without spaces have no words to compare; there the value stands in the event as it is, or not at all.
    """
    if value in quote or mentions_inflected(quote, value):
        return True
    meant, quoted, heard = set(stem_words(value)), set(stem_words(quote)), set(stem_words(speech))
    return bool(meant & quoted) and len(meant & heard) * 3 >= len(meant) * 2


VALIDATION_VERSION = "3"
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
    speech = recorded.event.user_text or ""
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
    speech = recorded.event.user_text or ""
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
