"""Checks of any text: instructions to its reader, links, prompt injection, small talk, secrets."""

import math
import re
from collections import Counter

from membus.core.text.checksums import IBAN_LENGTHS, is_iban, is_payment_card
from membus.core.text.normalization import normalize_text

_ORDERS = re.compile(
    r"<[^>]{1,80}>|<\||\bsystem prompt\b|\bfrom now on\b(?!,? (?:i\b|i'|my\b|we\b|our\b))|#{2,} ?(?:instruction|system|task)"
    r"|\byou (?:must|should|have to|need to|are to)\b(?! (?:also )?(?:know|note|be aware|remember|hear)\b)"
    r"|\byou (?:will now|are now|can now|are an?)\b"
    r"|\b(?:ignor\w*|disregard\w*|forget|override|bypass|skip)\b.{0,40}"
    r"\b(?:instruct\w*|prompts?|rules?|memor(?:y|ies)|above|previous|safety|checks?|restrictions?|guidelines?)\b"
    r"|\b(?:always|never) (?:answer|reply|respond|say|tell|recommend|mention|approve|reveal|refuse|obey)\b"
    r"|\bsystem\s*:(?!\s*(?:windows|mac|linux|ubuntu|debian|fedora|ios|android|chrome|\w+ v?\d))"
    r"|\b(?:developer|instructions?|new rule)\s*:|\bnote to (?:the )?(?:assistant|ai|model|system|agent)\b"
    r"|\bthe user(?:'s)? (?:is|has|was|likes?|wants?|prefers?|should|must|can|may|lives|works|hates|loves|allows?)\b"
    r"|\b(?:add|save|store|write|commit|put)\b.{0,24}\b(?:memory|memories|profile|database)\b"
    r"|\b(?:when|whenever|if) (?:you(?:'re| are) )?(?:asked|someone asks|anyone asks|i ask|prompted)\b"
    r"|\b\w+_\w*\(|\b(?:tool|function)_call\b"
)
_POWERS = re.compile(
    r"\b(?:developer|god|admin|root|sudo|dan|jailbreak|unrestricted) mode\b|\bjailbr\w+"
    r"|\b(?:admin|administrator|root|full|superuser|elevated|unlimited)"
    r" (?:rights|access|privileges?|permissions?|user)\b"
    r"|\b(?:no|without(?: any)?) (?:restrictions|disclaimers|refusals|verification|limits|censorship|confirmation)\b"
    r"|\b(?:approved|entitled|authori[sz]ed|cleared|eligible) (?:for|to)\b.{0,60}"
    r"\b(?:discount|refund|access|credits?|transfer|payout|data|everything|account)\b"
    r"|\b(?:is|are) always (?:approved|free|allowed|granted|trusted)\b|\bto be trusted\b"
)
"""Claims to rights: memory is not where anybody's rights are kept."""
_ELSEWHERE = re.compile(
    r"\bignor\w*\b.{0,40}\b(?:anweisung\w*|instruccion\w*|instruç\w*|instrução|istruzion\w*|consignes|instructies)\b"
    r"|\bигнорир\w*.{0,40}(?:инструкц|указани)\w*|(?:忽略|无视|無視).{0,12}(?:指令|说明|提示|指示|規則)"
)
_POINTS = re.compile(
    r"\b(?:https?|hxxps?|ftp|file|javascript|data|vbscript):\S|\bwww\.|\[[^\]\n]*\]\([^)\n]*\)"
    r"|(?<![@\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}/\S"
)


def looks_like_instruction(text: str) -> bool:
    """Whether a text addresses its reader, has markup, claims rights or links to somewhere else."""
    normal = normalize_text(text)
    return addresses_reader(normal) or contains_link(normal)


_OWN_RESOLVE = re.compile(
    r"\bcall me [\w .'-]{1,30}?,? from now on\b|\bfrom now on,? (?:please )?call me\b"
    r"|\b(?:i|we|i'\w+|we'\w+|my|our)\b(?:(?!\byou\b)[^.!?]){0,80}\bfrom now on\b"
)
"""«From now on» of the speaker's own doing: «I only eat halal from now on»."""


def addresses_reader(normal: str) -> bool:
    """Whether a normalized text addresses its reader, has markup or claims rights."""
    text = _OWN_RESOLVE.sub("", normal)
    return any(pattern.search(text) for pattern in (_ORDERS, _POWERS, _ELSEWHERE))


def contains_link(normal: str) -> bool:
    """Whether a normalized text has a link; a mail address or a company's name is none."""
    return _POINTS.search(normal) is not None


_STEERING = re.compile(
    r"\bsystem prompt\b|\bfrom now on\b|\byou (?:must|will) now\b"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|memory|above|previous)"
    r"|\b(?:always|never) (?:answer|reply|respond|say|tell|recommend)\b"
)


def is_prompt_injection(text: str) -> bool:
    """Whether a text tries to steer a model; advice («you should …»), markup and links do not."""
    return _STEERING.search(normalize_text(text)) is not None


SMALL_TALK_MAX = 120
"""The most characters of small talk."""
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
    """Whether every clause of a short text is a greeting, a yes or no, thanks, praise or success."""
    normal = normalize_text(text).replace("\u2019", "'")
    if len(normal) > SMALL_TALK_MAX:
        return False
    clauses = (clause.strip() for clause in _BORDER.split(normal))
    return all(_CLAUSE.fullmatch(clause) for clause in clauses if any(map(str.isalnum, clause)))


_FORMS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[0-9A-Za-z-]{10,}"
    r"|\b[srp]k_(?:live|test)_[0-9A-Za-z]{10,}|\bsk-(?:ant-|proj-)?[0-9A-Za-z_-]{20,}|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bmb_[a-z0-9]{1,16}_[0-9A-Za-z]{40,}|\bnpm_[0-9A-Za-z]{30,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY|\b[a-z]+://[^\s/:@]+:[^\s/@]+@"
)
_NAMED = re.compile(
    r"(?:\b(?:pass ?words?|passwd|pwd|pass ?phrase|pass ?code|pin(?: code| number)?|cvv|cvc|otp|one-time code"
    r"|2fa code|secret key|private key|api[ _-]?key|access key|(?:access|auth|bearer|refresh|session)[ _-]?token"
    r"|my token"
    r"|seed phrase|recovery (?:phrase|code)|passwort|kennwort|contraseña|clave|senha|palavra-passe|mot de passe"
    r"|wachtwoord|пароль)|密码|密碼|パスワード|비밀번호)"
    r"\W{0,3}(?:(?:is|was|are|ist|es|é|est|lautet|is set to|to|=|:|是|は|для)\W{1,3}|是|は|[:=]\s*)\S",
    re.IGNORECASE,
)
_SOCIAL_SECURITY = re.compile(r"\b(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}\b")
_CARD = re.compile(r"(?<![\d+])[2-6]\d(?:[ -]?\d){11,17}(?!\d)")
_ACCOUNT = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,4})?\b")
_BLOB = re.compile(r"(?<![\w/+.-])(?=[\w/+-]*\d)(?=[\w/+-]*[A-Za-z])[\w/+-]{32,}={0,2}(?![\w/+-])")
_BITS_A_CHARACTER = 3.0
"""Hexadecimal digits of a digest have 3.3 to 4 bits each, English and names of that length under 3."""


def contains_secret(text: str) -> bool:
    """Whether a text holds a key, token, password, card or account number (by their check digits)."""
    if any(pattern.search(text) for pattern in (_FORMS, _NAMED, _SOCIAL_SECURITY)):
        return True
    cards = (str(int(re.sub(r"\D", "", found[0]))) for found in _CARD.finditer(text))
    accounts = (found[0].replace(" ", "") for found in _ACCOUNT.finditer(text))
    return (
        any(map(is_payment_card, cards))
        or any(is_iban(account[:length]) for account in accounts for length in IBAN_LENGTHS)
        or any(_is_random(found[0]) for found in _BLOB.finditer(text))
    )


def _is_random(blob: str) -> bool:
    counts = Counter(blob)
    return -sum(n / len(blob) * math.log2(n / len(blob)) for n in counts.values()) >= _BITS_A_CHARACTER
