"""Words that pass between people without saying anything about them: no model need read them."""

import re

from membus.domain.utterance.text import normalize_text

SMALL_TALK_MAX = 120
"""Whoever says more than that has said something."""
_GREETINGS = (
    r"(?:hi|hey|hello|good ?(?:morning|afternoon|evening|night|day)|bye|goodbye|see you(?: (?:later|soon|tomorrow))?"
    r"|hallo|guten (?:morgen|tag|abend)|gute nacht|tsch(?:ü|ue)ss|hola|buenos d(?:í|i)as|adi(?:ó|o)s|bonjour|salut"
    r"|ciao|buongiorno)(?: (?:there|all|everyone|again))?"
)
_ANSWERS = (
    r"(?:yes|yeah|yep|yup|no|nope|ok|okay|sure|fine|right|exactly|correct|agreed|done|alright|of course|go ahead"
    r"|please(?: do)?|not now|never ?mind|i see|got it|understood|ja|nein|gerne|bitte|genau|s(?:í|i)|oui|non|d'accord)"
    r"(?: (?:please|thanks|thank you|bitte|danke|gracias|merci))?"
)
_THANKS = (
    r"(?:(?:many |ok |great )?thanks|(?:ok |great )?thank you|thx|cheers|danke(?: sch(?:ö|oe)n)?|gracias|merci|grazie)"
    r"(?: (?:a lot|so much|very much|again|for (?:that|this|your help|the help)))?"
)
_PRAISE = (
    r"(?:that'?s |that is |it'?s )?(?:an? )?(?:very |really |so )?"
    r"(?:good|great|perfect|nice|lovely|excellent|cool|awesome|super|wonderful|brilliant|amazing|helpful)"
    r"(?: (?:idea|job|work|answer|to know|to hear))?"
)
_RESULTS = (
    r"(?:(?:it|that|this) )?(?:works|worked|helps|helped)(?: (?:now|this time|again|fine|perfectly|a lot))?"
)
_CLAUSE = re.compile(f"{_GREETINGS}|{_ANSWERS}|{_THANKS}|{_PRAISE}|{_RESULTS}")
_BORDER = re.compile(r"[.,;:!?()\u2026\u2013\u2014-]+")


def is_small_talk(text: str) -> bool:
    """Whether every clause of a short text is a greeting, a yes or no, thanks, praise, or that something works."""
    read = normalize_text(text).replace("\u2019", "'")
    if len(read) > SMALL_TALK_MAX:
        return False
    clauses = [clause.strip() for clause in _BORDER.split(read)]
    said = [clause for clause in clauses if any(character.isalnum() for character in clause)]
    return all(_CLAUSE.fullmatch(clause) for clause in said)
