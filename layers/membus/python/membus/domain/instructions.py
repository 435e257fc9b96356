"""Texts that would steer whoever reads them: they are never kept as something known about a user."""

import re

from membus.domain.utterance.text import normalize_text

_ORDERS = re.compile(
    r"<[^>]{1,80}>|<\||\bsystem prompt\b|\bfrom now on\b|#{2,} ?(?:instruction|system|task)"
    r"|\byou (?:must|should|have to|need to|are to|will now|are now|can now|are an?)\b"
    r"|\b(?:ignor\w*|disregard\w*|forget|override|bypass|skip)\b.{0,40}"
    r"\b(?:instruct\w*|prompts?|rules?|memor(?:y|ies)|above|previous|safety|checks?|restrictions?|guidelines?)\b"
    r"|\b(?:always|never) (?:answer|reply|respond|say|tell|recommend|mention|approve|reveal|refuse|obey)\b"
    r"|\b(?:system|developer|instructions?|new rule)\s*:|\bnote to (?:the )?(?:assistant|ai|model|system|agent)\b"
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
"""A claim to more than others may do: memory is not where anybody's rights are kept."""
_ELSEWHERE = re.compile(
    r"\bignor\w*\b.{0,40}\b(?:anweisung\w*|instruccion\w*|instruç\w*|instrução|istruzion\w*|consignes|instructies)\b"
    r"|\bигнорир\w*.{0,40}(?:инструкц|указани)\w*|(?:忽略|无视|無視).{0,12}(?:指令|说明|提示|指示|規則)"
)
_POINTS = re.compile(
    r"\b(?:https?|hxxps?|ftp|file|javascript|data|vbscript):\S|\bwww\.|\[[^\]\n]*\]\([^)\n]*\)"
    r"|(?<![@\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}/\S"
)


def looks_like_instruction(text: str) -> bool:
    """Whether a text addresses its reader, carries markup, claims powers or points somewhere else."""
    read = normalize_text(text)
    return addresses_reader(read) or contains_link(read)


def addresses_reader(read: str) -> bool:
    """Whether a text that is `plain` addresses its reader, carries markup or claims powers."""
    return any(sign.search(read) for sign in (_ORDERS, _POWERS, _ELSEWHERE))


def contains_link(read: str) -> bool:
    """Whether a text that is `plain` holds an address to go to.

    A mail address or a company's name is none.
    """
    return _POINTS.search(read) is not None


_STEERING = re.compile(
    r"\bsystem prompt\b|\bfrom now on\b|\byou (?:must|will) now\b"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|memory|above|previous)"
    r"|\b(?:always|never) (?:answer|reply|respond|say|tell|recommend)\b"
)


def is_prompt_injection(text: str) -> bool:
    """Whether a text would turn its reader around; advice («you should …»), markup and links do not."""
    return _STEERING.search(normalize_text(text)) is not None
