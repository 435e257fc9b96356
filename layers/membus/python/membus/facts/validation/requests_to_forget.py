"""Requests to forget: «forget that I like jazz» ends the fact that it names, and teaches none."""

import re
from collections.abc import Iterable, Iterator

from membus.core.event import Event, RecordedEvent
from membus.core.text.normalization import normalize_text
from membus.core.text.terms import stem_words
from membus.facts.attributes import normalize_path
from membus.facts.candidates import CONFIDENCE, QUOTE_MAX
from membus.facts.fact import Fact
from membus.facts.observation import Observation, Provenance, Trust
from membus.facts.validation import attribution
from membus.facts.validation.evidence import Evidence, find_evidence

RULE = "request-to-forget"
_ASKED = r"(?:^\W*|\b(?:please|you|just|now|and|so|ok) |[,;:!] ?)"
"""What an order or a request begins with: «I always forget my keys» is none."""
_KNOWN = (
    r"(?:you(?:'ve| have| ever)?|i(?:'ve| have)?) (?:\w+ )?"
    r"(?:know|have|stored|saved|remember\w*|learn\w*|noted|said|told|wrote)"
)
_FORGETS = re.compile(
    rf"{_ASKED}forget (?:(?:that|what|the fact that) (?:i|i'm|i've|you|we|my|our)"
    r"|(?:everything|anything|all) (?:i|you|about)|my)\b"
    rf"|\b(?:delete|erase|remove|clear|drop|scrap|forget)\b[^.!?]{{0,30}}\b{_KNOWN}\b"
    r"|\b(?:delete|erase|remove|clear|drop|scrap|forget)\b[^.!?]{1,60}\b(?:from|in) (?:your|my|the)"
    r" (?:memory|memories|profile|facts|notes|records?)\b"
    r"|\b(?:stop remembering|don't remember|do not remember|no longer remember)\b"
    r"|\b(?:that|what) (?:i|my|we)\b[^.!?]{1,120}\b(?:was|is|were) "
    r"(?:a mistake|an error|wrong|not true|untrue|incorrect|false|a lie|a typo)\b"
    r"|\b(?:it(?:'s| is| was) (?:not true|a mistake|wrong|untrue|false)|it (?:isn't|wasn't) true"
    r"|i (?:was wrong|made a mistake|lied))"
    r"[^.!?]{0,60}\b(?:that|when i said|saying|about)\b"
    r"|\bvergiss,? (?:bitte,? )?(?:dass|was|alles|mein\w*)\b(?! nicht)|\blösch\w*[^.!?]{0,30}\b(?:was|alles)\b[^.!?]{0,20}\bdu\b"
    r"|(?<!n')\boublie[zs]? (?:que|ce que|qu'|mon|ma|tout)|\b(?:supprime|efface)[zs]? (?:ce que|tout ce que) (?:tu|vous)\b"
    r"|(?<!no )\b(?:olvida|olvide) (?:que|lo que|mi|tod[ao])\b|\b(?:borra|elimina) (?:tod[ao] )?lo que sabes\b"
    r"|(?<!non )\bdimentica (?:che|quello che|il mio|la mia)\b|\bcancella (?:quello|tutto) (?:che|quello che) sai\b"
    r"|(?<!não )\besque(?:ce|ça) (?:que|o que|o meu|a minha)\b|\b(?:apaga|apague) (?:o que|tudo o que)\b"
    r"|\bvergeet (?:dat|wat|mijn)\b|\bzapomnij,? że\b|\bзабудь,? (?:что|про|о)\b|(?:忘了|忘记|忘掉)(?:我|吧)|忘れて"
)


def is_request_to_forget(evidence: Evidence) -> bool:
    """Whether the sentence of a value asks to forget it, or takes it back as a mistake."""
    return asks_to_forget(evidence.speech[slice(*evidence.sentence)])


def asks_to_forget(text: str) -> bool:
    """Whether a text asks to forget what it names."""
    return _FORGETS.search(normalize_text(text)) is not None


def marked_requests(event: Event) -> list[str]:
    """Return the words by which a user asked in chat to forget something, as the tool `forget` marked them."""
    user = event.payload.get("user")
    marks = user.get("asked_to_forget") if isinstance(user, dict) and event.origin == "chat" else None
    return [mark for mark in marks if isinstance(mark, str)] if isinstance(marks, list) else []


def holds_request(event: Event) -> bool:
    """Whether an event asks to forget something, by its words or by a mark."""
    return bool(marked_requests(event)) or asks_to_forget(event.user_text or "")


def deny_forgotten(recorded: RecordedEvent, current: Iterable[Fact]) -> Iterator[Observation]:
    """Yield the denial of each current fact that an event asks to forget: by its value, or as «my …».

    Actions and settings are no words of the user's, and what another says inside the message is none either.
    """
    speech, marks = recorded.event.user_text or "", marked_requests(recorded.event)
    for fact in current:
        if fact.value is None or fact.trust is Trust.OBSERVED:
            continue
        places = find_evidence(speech, fact.value, speech)
        place = next((each for each in places if _asks_about(each, fact, marks)), None)
        if place and not (attribution.is_quoted(place) or attribution.is_role_play(place)):
            yield _denial(fact, recorded, speech[slice(*place.sentence)])


def _asks_about(place: Evidence, fact: Fact, marks: Iterable[str]) -> bool:
    sentence = normalize_text(place.speech[slice(*place.sentence)])
    is_marked = any(normalize_text(mark) in sentence or sentence in normalize_text(mark) for mark in marks)
    return (is_marked or asks_to_forget(sentence)) and _names(sentence, fact)


def _names(sentence: str, fact: Fact) -> bool:
    words = set(stem_words(fact.value or ""))
    if words and words <= set(stem_words(sentence)):
        return True
    named = {normalize_path(word) for word in re.findall(r"\bmy ([\w-]+)", sentence)}
    return fact.key in named or fact.key.split(".")[0] in named or fact.key.rpartition(".")[2] in named


def _denial(fact: Fact, recorded: RecordedEvent, words: str) -> Observation:
    event = recorded.event
    return Observation(
        key=fact.key,
        value=fact.value,
        kind=fact.kind,
        trust=Trust.USER_STATED,
        confidence=CONFIDENCE,
        valid_from=recorded.true_from,
        learned_at=recorded.learned_at,
        denies=True,
        provenance=Provenance(
            event_id=event.event_id,
            event_type=event.type,
            origin=event.origin,
            agent_id=event.agent_id,
            quote=words.strip()[:QUOTE_MAX],
            rule=RULE,
        ),
    )
