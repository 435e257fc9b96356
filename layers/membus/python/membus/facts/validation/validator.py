"""Validation: code decides from an event's words which candidates become observations (ADR 21).

A candidate becomes an observation, a request for review, or is rejected.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING

from membus.core.event import RecordedEvent
from membus.core.text.normalization import is_blank, normalize_characters, normalize_text
from membus.core.text.terms import stem_words
from membus.facts.attributes import TIMEZONE_KEY, fact_key, is_single_valued, normalize_path
from membus.facts.candidates import (
    CONFIDENCE,
    ENDING_STANCES,
    QUOTE_MAX,
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
from membus.facts.settings_check import RESERVED_ATTRIBUTES
from membus.facts.text_checks import addresses_reader, contains_link, contains_secret
from membus.facts.validation import attribution, stance
from membus.facts.validation.dates import ValidityPeriod, date_value, find_validity, speaker_zone
from membus.facts.validation.evidence import Evidence, find_evidence, mentions_inflected
from membus.facts.validation.requests_to_forget import is_request_to_forget

if TYPE_CHECKING:
    from collections.abc import Callable


def find_objection(
    place: Evidence, *, attribute: str, value: str, quote: str, denies: bool = False
) -> VerdictReason | None:
    """Return the first reason against this evidence: whose words they are comes before what they say."""
    told_after = stance.is_told_after(place)
    forgets = denies and is_request_to_forget(place)
    texts = tuple(map(normalize_text, (value, quote, place.speech[slice(*place.sentence)])))
    checks: tuple[tuple[VerdictReason, Callable[[], bool]], ...] = (
        ("recalled", lambda: not forgets and attribution.is_recalled(place)),
        ("assistant", lambda: attribution.is_assistant_text(place)),
        ("instruction", lambda: not forgets and any(map(addresses_reader, texts))),
        ("url", lambda: any(map(contains_link, texts[:2]))),
        ("role_play", lambda: attribution.is_role_play(place)),
        ("hearsay", lambda: attribution.is_hearsay(place)),
        ("quoted", lambda: attribution.is_quoted(place)),
        ("question", lambda: not forgets and stance.is_question(place)),
        (
            "third_party",
            lambda: not told_after and attribution.is_about_another(place, attribute),
        ),
        ("hypothetical", lambda: not told_after and stance.is_hypothetical(place, attribute)),
        ("negated", lambda: not denies and stance.is_negated(place, attribute, value)),
        ("sarcasm", lambda: attribution.is_sarcastic(place)),
    )
    return next((reason for reason, applies in checks if applies()), None)


PROMPT_WORDS = 6
"""So many words of the prompt in a row come from the prompt, not from a person."""
LOOP_WORDS = 6


def repeats_prompt(quote: str, instructions: str) -> bool:
    """Whether the quote holds a run of words of the model's instructions."""
    words = quote.split()
    runs = (" ".join(words[start : start + PROMPT_WORDS]) for start in range(len(words) - PROMPT_WORDS + 1))
    return any(run in instructions for run in runs)


def is_repetitive(value: str) -> bool:
    """Whether a value is a model's loop: six words or more, two thirds of them repetitions."""
    words = value.casefold().split()
    return len(words) >= LOOP_WORDS and len(set(words)) * 3 <= len(words)


def mentions_value(quote: str, speech: str, value: str) -> bool:
    """Whether the value's words were said: one of them in the quote, two thirds of them in the whole event.

    Words are compared by their stems, so that `plays guitar` may rest on "I started playing guitar". In
    scripts without spaces the value has to stand in the quote as it is.
    """
    if value in quote or mentions_inflected(quote, value):
        return True
    stems = set(stem_words(value))
    said = len(stems & set(stem_words(speech)))
    return bool(stems & set(stem_words(quote))) and said * 3 >= len(stems) * 2


def names_value(text: str, value: str) -> bool:
    """Whether a text has one of a value's words, longer than a letter."""
    return any(len(stem) > 1 for stem in set(stem_words(value)) & set(stem_words(text)))


VALIDATION_VERSION = "7"
"""Part of the extractor version: an event is read again by another version of validation."""
CANDIDATE_VALUE_MAX = 200
"""A longer value is a passage, not a fact."""
CHANGES_MAX = 6
"""The facts that one event may replace; an event that would replace more goes to review.

A first introduction replaces nothing, however long it is.
"""
HEARSAY_CONFIDENCE = 0.5
UNKNOWN_SPEAKER = Speaker()


def validate_candidates(
    candidates: Sequence[Candidate],
    events: Mapping[str, RecordedEvent],
    extractor: Extractor,
    speakers: Mapping[str, Speaker] = MappingProxyType({}),
    current: Mapping[str, str | None] = MappingProxyType({}),
) -> list[Verdict]:
    """Return the verdict on each candidate of one answer, in order.

    Too many changes by one event go to review. `speakers` are the known speakers by event id, `current` the
    values that the user's facts have now by key.
    """
    verdicts = [
        validate_candidate(each, events, extractor, speakers.get(each.event_id, UNKNOWN_SPEAKER))
        for each in candidates
    ]
    changes = {
        (seen.provenance.event_id, seen.key)
        for seen in verdicts
        if isinstance(seen, Observation) and _replaces(seen, current, extractor)
    }
    counts = Counter(event_id for event_id, _ in changes)
    over = {event_id for event_id, count in counts.items() if count > CHANGES_MAX}
    return [
        ReviewRequest(reason="too_many_changes", observation=each)
        if isinstance(each, Observation)
        and each.provenance.event_id in over
        and _replaces(each, current, extractor)
        else each
        for each in verdicts
    ]


def _replaces(seen: Observation, current: Mapping[str, str | None], extractor: Extractor) -> bool:
    """Whether an observation would replace the value of a fact that holds one."""
    replaces = current.get(seen.key, seen.value) != seen.value
    single = is_single_valued(seen.key, extractor.settings.by_attribute)
    return replaces and single and not seen.denies


def validate_candidate(
    candidate: Candidate,
    events: Mapping[str, RecordedEvent],
    extractor: Extractor,
    speaker: Speaker = UNKNOWN_SPEAKER,
) -> Verdict:
    """Return the observation that a candidate becomes, or why it becomes none.

    The quote has to stand in its event, word for word but for case, white space and invisible characters, and
    to hold the value. There the words themselves, whatever the model makes of them, have to state it of the
    user.
    """
    recorded = events.get(candidate.event_id)
    if recorded is None:
        return Rejection(reason="unknown_event")
    speech = recorded.event.user_text or ""
    places = find_evidence(candidate.quote, candidate.value, speech)
    rejection = _check_claim(candidate, speaker, recorded) or (None if places else "ungrounded")
    if rejection:
        return Rejection(reason=rejection)
    if any(map(is_request_to_forget, places)):
        candidate = candidate.model_copy(update={"stance": "negated"})  # whatever the model calls it
    if candidate.stance in ENDING_STANCES:
        return _validate_denial(candidate, recorded, extractor, speaker, places)
    verdict = _validate_statement(candidate, recorded, extractor, speaker, places)
    if (
        isinstance(verdict, Rejection) and verdict.reason in ENDING_STANCES
    ):  # the words deny what the model states
        denied = candidate.model_copy(update={"stance": verdict.reason})
        denial = _validate_denial(denied, recorded, extractor, speaker, places)
        return denial if isinstance(denial, Observation) else verdict
    return verdict


def _validate_statement(
    candidate: Candidate,
    recorded: RecordedEvent,
    extractor: Extractor,
    speaker: Speaker,
    places: Sequence[Evidence],
) -> Verdict:
    reason, place = _check_content(candidate, extractor), places[0]
    if reason is None:
        reason, place = _check_wording(candidate, places)
    if reason and reason not in REVIEW_REASONS:
        return Rejection(reason=reason)
    if rejection := _check_form(candidate, recorded.event.user_text or ""):
        return Rejection(reason=rejection)
    validity = _find_validity(candidate, place, recorded, speaker)
    candidate = _with_dates(candidate, recorded, speaker)
    reason = reason or _check_time(candidate, place, validity)
    if reason and reason not in REVIEW_REASONS:
        return Rejection(reason=reason)
    observation = _observation(candidate, recorded, extractor, validity, hearsay=reason == "hearsay")
    return ReviewRequest(reason=reason, observation=observation) if reason else observation


def _validate_denial(
    candidate: Candidate,
    recorded: RecordedEvent,
    extractor: Extractor,
    speaker: Speaker,
    places: Sequence[Evidence],
) -> Observation | Rejection:
    """Return the denial that a candidate becomes; a doubtful one is rejected, as approval would teach it."""
    reason, place = _check_content(candidate, extractor), places[0]
    if reason is None:
        reason, place = _check_wording(candidate, places)
    reason = reason or _check_form(candidate, recorded.event.user_text or "")
    attribute = normalize_path(candidate.attribute)
    is_ending = is_request_to_forget(place) or stance.is_ending(place, attribute, candidate.value)
    if reason is None and not is_ending:
        reason = "past" if candidate.stance == "past" else "negated"  # the model alone ends nothing
    validity = _find_validity(candidate, place, recorded, speaker)
    if reason is None and (validity.ahead or stance.is_future(place, attribute)):
        reason = "not_yet"
    if reason:
        return Rejection(reason=reason)
    candidate = _with_dates(candidate, recorded, speaker)
    ends = min(validity.ends or recorded.true_from, recorded.true_from)
    said_at = recorded.true_from if ends != recorded.true_from else None
    observation = _observation(candidate, recorded, extractor, ValidityPeriod(), hearsay=False)
    return observation.model_copy(update={"valid_from": ends, "said_at": said_at, "denies": True})


def is_grounded(candidate: Candidate, recorded: RecordedEvent) -> bool:
    """Whether quote, value and subject of a candidate come from the event, whatever they state."""
    speech = recorded.event.user_text or ""
    text = normalize_text(speech)
    is_speaker = candidate.subject.strip().casefold() in _names(UNKNOWN_SPEAKER, recorded)
    if not is_speaker and normalize_text(candidate.subject) not in text:
        return False
    quote, value = normalize_text(candidate.quote), normalize_text(candidate.value)
    return bool(find_evidence(candidate.quote, candidate.value, speech)) and mentions_value(
        quote, text, value
    )


def _check_claim(candidate: Candidate, speaker: Speaker, recorded: RecordedEvent) -> VerdictReason | None:
    """Return why a candidate is rejected by what it claims of itself."""
    if any(contains_secret(normalize_characters(text)) for text in (candidate.value, candidate.quote)):
        return "secret"
    if candidate.stance != "stated" and candidate.stance not in ENDING_STANCES:
        return candidate.stance
    return None if candidate.subject.strip().casefold() in _names(speaker, recorded) else "third_party"


def _names(speaker: Speaker, recorded: RecordedEvent) -> set[str]:
    """Return the names that a subject may call the speaker."""
    names = (*speaker.names, recorded.event.payload.get("speaker"), recorded.event.user_id)
    return {"user", *(name.strip().casefold() for name in names if isinstance(name, str))} - {""}


def _check_content(candidate: Candidate, extractor: Extractor) -> VerdictReason | None:
    """Return why a candidate is rejected by content that no fact may have."""
    if repeats_prompt(normalize_text(candidate.quote), normalize_text(extractor.instructions)):
        return "prompt"
    path = normalize_path(candidate.attribute)
    if path.split(".")[0] in RESERVED_ATTRIBUTES:
        return "reserved"
    is_unwanted = candidate.stance not in ENDING_STANCES and extractor.settings.never_keeps(path)
    return "unwanted" if is_unwanted else None


def _check_wording(candidate: Candidate, places: Sequence[Evidence]) -> tuple[VerdictReason | None, Evidence]:
    """Return the reason against the words and the deciding place.

    No reason where one place states the value. That words deny a value is no reason against its denial.
    """
    attribute, value, quote = normalize_path(candidate.attribute), candidate.value, candidate.quote
    denies = candidate.stance in ENDING_STANCES
    checked = [
        (find_objection(place, attribute=attribute, value=value, quote=quote, denies=denies), place)
        for place in places
    ]
    return next((each for each in checked if each[0] is None), checked[0])


def _check_form(candidate: Candidate, speech: str) -> VerdictReason | None:
    """Return why a candidate cannot become an observation, whatever its words state."""
    value = " ".join(candidate.value.split())
    has_key = fact_key(candidate.attribute, value) is not None
    if not has_key or is_blank(value) or len(value) > CANDIDATE_VALUE_MAX or is_repetitive(value):
        return "malformed"
    quote, text = normalize_text(candidate.quote), normalize_text(speech)
    if candidate.stance in ENDING_STANCES and names_value(text, normalize_text(value)):
        return None  # what ends is known already, and may be named in short: «sold the Civic»
    return None if mentions_value(quote, text, normalize_text(value)) else "unsaid"


def _check_time(candidate: Candidate, place: Evidence, validity: ValidityPeriod) -> VerdictReason | None:
    attribute = normalize_path(candidate.attribute)
    if validity.ahead or stance.is_future(place, attribute):
        return "not_yet"
    return "past" if stance.is_past(place, attribute) and validity.ends is None else None


def _find_validity(
    candidate: Candidate, place: Evidence, recorded: RecordedEvent, speaker: Speaker
) -> ValidityPeriod:
    attribute = normalize_path(candidate.attribute)
    return find_validity(place, attribute, recorded.true_from, _zone_of(recorded, speaker))


def _with_dates(candidate: Candidate, recorded: RecordedEvent, speaker: Speaker) -> Candidate:
    """Return a candidate whose value names the days that «tomorrow» or «next month» meant."""
    attribute, value = normalize_path(candidate.attribute), " ".join(candidate.value.split())
    dated = date_value(value, attribute, recorded.true_from, _zone_of(recorded, speaker))
    return candidate.model_copy(update={"value": dated[:CANDIDATE_VALUE_MAX]})


def _zone_of(recorded: RecordedEvent, speaker: Speaker) -> tzinfo:
    event = recorded.event
    return speaker_zone(event.occurred_at, event.payload.get("timezone"), speaker.timezone)


def _observation(
    candidate: Candidate,
    recorded: RecordedEvent,
    extractor: Extractor,
    validity: ValidityPeriod,
    *,
    hearsay: bool,
) -> Observation:
    event, value = recorded.event, " ".join(candidate.value.split())
    begins = validity.begins or min(recorded.true_from, validity.ends or recorded.true_from)
    own = extractor.settings.by_attribute
    wanted = own.get(normalize_path(candidate.attribute))
    expiry = wanted.expires_after_days if wanted else None
    expires = recorded.true_from + timedelta(days=expiry) if expiry else None
    return Observation(
        key=fact_key(candidate.attribute, value, own) or "",
        value=value,
        kind=candidate.kind,
        trust=Trust.THIRD_PARTY if hearsay else Trust.USER_STATED,
        confidence=HEARSAY_CONFIDENCE if hearsay else CONFIDENCE,
        valid_from=begins,
        valid_until=validity.ends or expires,
        half_life_days=wanted.half_life_days if wanted else None,
        learned_at=recorded.learned_at,
        said_at=recorded.true_from if begins != recorded.true_from else None,
        provenance=Provenance(
            event_id=event.event_id,
            event_type=event.type,
            origin=event.origin,
            agent_id=event.agent_id,
            position=event.position,
            quote=candidate.quote.strip()[:QUOTE_MAX],
            model=extractor.model,
            prompt_version=extractor.prompt_version,
        ),
    )


def timezones_from_candidates(
    candidates: Iterable[Candidate], events: Mapping[str, RecordedEvent], extractor: Extractor
) -> list[Observation]:
    """Return what an answer says of the speaker's time zone, by which events of the same batch count days."""
    zones = (each for each in candidates if normalize_path(each.attribute) == TIMEZONE_KEY)
    verdicts = (validate_candidate(each, events, extractor) for each in zones)
    return [verdict for verdict in verdicts if isinstance(verdict, Observation) and not verdict.denies]


def resolve_speakers(
    events: Iterable[RecordedEvent], observations: Iterable[Observation]
) -> dict[str, Speaker]:
    """Return each event's speaker with the time zone that was true, and known, when the event happened."""
    zones = [seen for seen in observations if seen.key == TIMEZONE_KEY]
    speakers: dict[str, Speaker] = {}
    for recorded in events:
        zone = fact_as_of(zones, true_at=recorded.true_from, known_at=recorded.learned_at)
        speakers[recorded.event_id] = Speaker(timezone=zone.value if zone else None)
    return speakers
