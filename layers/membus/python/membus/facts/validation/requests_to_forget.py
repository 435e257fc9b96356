"""Requests to forget: «forget that I like jazz» ends the fact that it names, and teaches none."""

import re
from collections.abc import Iterable, Iterator, Sequence

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
    r"(?:know|have|stored|saved|remember\w*|learn\w*|noted|said|told|wrote|mentioned|shared|gave|recorded)"
)
_REMOVE = r"(?:delete|erase|remove|clear|drop|scrap|wipe|forget|purge|strike|unlearn|lose|ditch|take (?:out|back|off)|get rid of)"
_ABOUT = r"(?:about |the (?:thing|bit|part|stuff|fact|info\w*|note|detail|line)s? (?:about|on|with|where|that|of)\b)"
_FORGETS = re.compile(
    rf"{_ASKED}forget (?:(?:that|what|the fact that|where|when|how) (?:i|i'm|i've|you|we|my|our)"
    rf"|(?:everything|anything|all) (?:i|you|about)|{_ABOUT}|it[,.]|my)\b"
    rf"|\b{_REMOVE}\b[^.!?]{{0,30}}\b{_KNOWN}\b"
    rf"|\b{_REMOVE}\b[^.!?]{{1,60}}\b(?:from|in|off) (?:your|my|the) (?:memory|memories|profile|facts|notes|records?)\b"
    rf"|\b{_REMOVE} {_ABOUT}|{_ASKED}(?:wipe|erase|unlearn|purge|delete|remove|clear) my\b|\bnever said (?:that )?i\b"
    r"|\b(?:stop remembering|don't remember|do not remember|no longer remember)\b"
    rf"|\b(?:don't|do not|please don't|stop) (?:keep|keeping|store|storing|save|saving|record|recording|retain\w*"
    rf"|hold on to)\b[^.!?]{{0,12}}"
    rf"(?:{_ABOUT}|that (?:i|my)\b|my\b|what i\b)"
    r"|\b(?:that|what) (?:i|my|we)\b[^.!?]{1,120}\b(?:was|is|were) "
    r"(?:a mistake|an error|wrong|not true|untrue|incorrect|false|a lie|a typo|a joke|a test)\b"
    r"|\b(?:it(?:'s| is| was) (?:not true|a mistake|wrong|untrue|false)|it (?:isn't|wasn't) true"
    r"|i (?:was wrong|made a mistake|lied|was joking|was kidding|misspoke|made (?:it|that) up))"
    r"[^.!?]{0,60}\b(?:that|when i said|saying|about)\b"
    r"|\b(?:that|it) was (?:a joke|a test|a lie|just a joke|not me|a mistake|wrong)\b[^.!?]{0,6}[,;:–—-]? ?i (?:don't|am not"
    r"|'m not|never|do not|have no)"
    r"|\b(?:that|this|it|which) (?:was|is|were) (?:just )?(?:a lie|a joke|a mistake|an error|a typo|wrong|untrue|not true"
    r"|false)\W*$"
    r"|\bignore (?:that i|what i (?:said|told|wrote))\b"
    r"|\bvergiss,? (?:bitte,? )?(?:dass|was|alles|das|die sache|mein\w*)\b(?! nicht)"
    r"|\b(?:lösch\w*|streich\w*|entfern\w*)\b[^.!?]{0,30}\b(?:was|alles|das mit|die sache|die information\w*|den eintrag"
    r"|mein\w*)\b"
    r"|(?<!n')\boublie[zs]? (?:que|ce que|qu'|mon|ma|mes|tout|pour|l'histoire|cette histoire)"
    r"|\b(?:supprime|efface|retire|enlève)[zrs]? (?:l\w* infos?\w* sur|ce que|tout ce que|mon|ma|mes|l'info\w*|le fait que)\b"
    r"|(?<!no )\b(?:olvida|olvide|olvídate|olvídese) (?:de )?(?:que|lo|lo que|mi|mis|tod[ao])\b"
    r"|\b(?:borra|borre|elimina|elimine|quita|quite) (?:la informaci\w+|los datos|(?:tod[ao] )?lo que|lo de\w*|mi|mis|que)\b"
    r"|(?<!non )\bdimentica(?:ti)? (?:che|di|quello che|il mio|la mia|quella cosa)\b|\b(?:cancella|elimina"
    r"|togli) (?:le informazioni|quello"
    r"|tutto|che|il mio|la mia)\b"
    r"|(?<!não )(?<!não se )\b(?:esque(?:ce|ça)|esqueça-se) (?:que|de que|o que|o meu|a minha|aquilo|isso)\b"
    r"|\b(?:apaga|apague|remove|remova|tira|tire) (?:as? informaç\w+|o que|tudo o que|aquilo|o meu|a minha|que)\b"
    r"|\bvergeet (?:dat|wat|mijn|het)\b|\b(?:verwijder|wis) (?:dat|wat|mijn|het)\b"
    r"|(?<!inte )\bglöm (?:att|bort|det|min|mitt|mina)\b|\b(?:ta bort|radera) (?:att|det|min|mitt|mina)\b"
    r"|(?<!ikke )\bglem (?:at|det|min|mit)\b"
    r"|(?<!nie )\b(?:zapomnij|usuń|skasuj),? (?:że|o|to|moj\w+|mój)\b|\b(?:zapomeň|smaž|vymaž)(?:te)?,? (?:že|na|to|moje|můj)\b"
    r"|(?<!не )\b(?:забудь|удали|сотри|убери)(?:те)?,? (?:\w+ )?(?:что|про|о|об|мо\w+|всё|это)\b|(?<!не )\b(?:забудь"
    r"|видали)(?:те)?,? (?:що|про)\b"
    r"|(?<!älä )\bunohda,? (?:että|se|mun|minun)\b|(?<!ne )\bfelejtsd el\b|(?<!nu )\buită că\b|\bunut\b|(?<!μην )ξέχνα"
    r"|(?<!jangan )\blupakan\b|\bhapus\b|(?<!đừng )\bquên\b"
    r"|(?<![别別我要没])(?:忘了|忘记|忘掉|忘記|删除|删掉|刪除|刪掉)(?:我|吧|关于|關於|那)"
    r"|(?:忘れて|削除して|消して)(?:ください|下さい|ね|くれ|ほしい|$|。)"
    r"|(?:잊어|지워|삭제해) ?(?:줘|주세요|버려)"
    r"|(?<!אל )(?<!\w)(?:انس|انسى|احذف|امسح|שכח|תשכח|תשכחי|מחק|תמחק)(?!\w)|भूल जा|हटा दो|(?<!อย่า)ลืม(?:เรื่อง|ว่า|ไป)"
    r"|ลบ(?:เรื่อง|ข้อมูล)"
)


_EDITED = re.compile(
    r"\b(?:draft|e-?mail|letter|essay|paragraph|sentence|slide|article|post|photo|picture|file|folder|column|line of code|code"
    r"|function"
    r"|playlist|list|cart|basket|order|calendar|invoice|report|spreadsheet|table|section|chapter|caption|title)s?\b"
)
_MEMORY = re.compile(
    r"\b(?:memory|memories|profile|remember\w*|you (?:know|have stored|saved|noted)|about me)\b"
)
"""Words that tell a request to forget from one to edit a text or a list."""
_REPLACES = re.compile(
    r"\W*(?:it's|it is|it should be|i'm|i am|i live|i work|i have|i like|i was born|my [\w ]{1,20} is|actually|the (?:right"
    r"|correct)|make it"
    r"|use|ich |je |j'|yo |vivo|soy|tengo|eu |io |ik |jag |я |我)(?!.{0,30}(?:n't|\bnot\b|\bnever\b|\bno\b|nicht|kein|pas\b"
    r"|\bне\b|不|没))"
)
"""How the right value follows one that is taken back: «I lied about my age, I'm 34»."""


def is_request_to_forget(evidence: Evidence) -> bool:
    """Whether the sentence of a value asks to forget it, or takes it back as a mistake."""
    clause = evidence.sentence_clauses[-1]
    is_new = clause.opener in {",", "-", "–", "—", ":", "but", "("} and _REPLACES.match(f"{clause.head} ")
    return not is_new and asks_to_forget(evidence.speech[slice(*evidence.sentence)])


def asks_to_forget(text: str) -> bool:
    """Whether a text asks to forget what it names; to take words out of a letter or a list is no such request."""
    normal = normalize_text(text)
    if _EDITED.search(normal) and not _MEMORY.search(normal):
        return False
    return _FORGETS.search(normal) is not None


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
    for fact, words in find_forgotten(speech, marks, current):
        yield _denial(fact, recorded, words)


def find_forgotten(speech: str, marks: Sequence[str], current: Iterable[Fact]) -> Iterator[tuple[Fact, str]]:
    """Yield each fact that a text asks to forget, by its words or by marks on them, with the sentence."""
    for fact in current:
        if fact.value is None or fact.trust is Trust.OBSERVED:
            continue
        places = find_evidence(speech, fact.value, speech)
        place = next((each for each in places if _asks_about(each, fact, marks)), None)
        if place and not (attribution.is_quoted(place) or attribution.is_role_play(place)):
            yield fact, speech[slice(*place.sentence)]


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
            position=event.position,
            quote=words.strip()[:QUOTE_MAX],
            rule=RULE,
        ),
    )
