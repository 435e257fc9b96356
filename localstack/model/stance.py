"""Whose words a stretch of a sentence is, and whether it states, supposes, denies or asks."""

import re

from localstack.model.rulebook import Rule, rulebook

SUPPOSED = re.compile(  # makes what follows in the sentence a supposition
    r"\b(?:if (?!not\b)|wish|imagine|suppose|pretend|as though|unless|would have|would've|could have|almost)\b",
    re.IGNORECASE,
)
DOUBTED = re.compile(  # makes its own clause one
    r"\b(?:if (?:I|we|only|it|they|he|she|my|there|you)|wish|might|maybe|perhaps|should|unless)\b",
    re.IGNORECASE,
)
REPORTED = re.compile(
    r"\b(?:said|says|saying|told|tells|asked|asks|wrote|writes|quote|heard|claims?|claimed|thinks?|thought|joked)\b"
    r"[^.!?]{0,40}$",
    re.IGNORECASE,
)
QUOTED = re.compile(r"^[^\"“”]*(?:[\"“][^\"”]*[\"”][^\"“”]*)*[\"“][^\"”]*$")
SPEAKER = re.compile(r"(?:I|i|We|we)\b")
BORDER = re.compile("[,;:\u2013\u2014]")


def is_own_statement(rule: Rule, match: re.Match[str]) -> bool:
    """Refuse another's words, "the book I read" (no statement of its own), and what the rule itself excludes."""
    before = match.string[: match.start()]
    relative = SPEAKER.match(match[0]) and not rulebook().opener.search(before)
    return not (
        relative or REPORTED.search(before) or QUOTED.match(before) or rule.unless.search(match.string)
    )


def stance_of(rule: Rule, match: re.Match[str], end: int) -> str:
    """Return the stance of the words from the match's start to `end`."""
    if rule.stance != "stated":
        return rule.stance
    if match.string.endswith("?"):
        return "question"
    before, said, after = match.string[: match.start()], match.string[match.start() : end], match.string[end:]
    clause = BORDER.split(before)[-1] + said + BORDER.split(after, maxsplit=1)[0]
    if SUPPOSED.search(before) or DOUBTED.search(clause):
        return "hypothetical"
    negated = any(text for name, text in match.groupdict().items() if name.startswith("not"))
    return "negated" if negated else "stated"
