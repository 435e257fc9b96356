"""The observer's rules: patterns of `rules/*.toml`, and what a matched clause states.

`words.toml` holds the pieces of the patterns, `values.toml` how captured words become a short value.
"""

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

FOLDER = Path(__file__).parent / "rules"
FILES = ("identity", "people", "tastes", "doings")  # the first rule that matches some words keeps them
PIECE = re.compile(r"(?<!\?P)<(\w+)>")
NEVER = re.compile(r"(?!)")


def expand(pattern: str) -> re.Pattern[str]:
    """Compile a pattern whose `<name>` stand for pieces; a second group of one name becomes name2."""
    while found := PIECE.search(pattern):
        pattern = f"{pattern[: found.start()]}{_pieces()[found[1]]}{pattern[found.end() :]}"
    names: dict[str, int] = {}

    def number(group: re.Match[str]) -> str:
        names[group[1]] = names.get(group[1], 0) + 1
        return f"(?P<{group[1]}{names[group[1]] if names[group[1]] > 1 else ''}>"

    return re.compile(re.sub(r"\(\?P<(\w+?)\d*>", number, pattern))


Expanded = Annotated[re.Pattern[str], BeforeValidator(expand)]


class Rule(BaseModel):
    """One way of saying something; `attribute` and `value` are templates over the groups of `pattern`.

    `shape` says how the value is trimmed, and `stop` where it also ends. `avoid` refuses values, `unless`
    whole sentences. A `timed` rule needs words of time. A `third` rule is about somebody else. An `also`
    rule may match words that another rule has. A `gerund` rule makes "collecting" of "collect".
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    attribute: str
    kind: str
    pattern: Expanded
    shape: Literal["noun", "verb", "exact"] = "noun"
    value: str = "{value}"
    third: bool = False
    timed: bool = False
    stance: str = "stated"
    avoid: Expanded = NEVER
    unless: Expanded = NEVER
    stop: Expanded = NEVER
    also: bool = False
    gerund: bool = False


class Rulebook(BaseModel):
    rules: tuple[Rule, ...]
    past: Expanded
    future: Expanded
    opener: Expanded
    hobby: Expanded
    same: dict[str, str]


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    return Rulebook(
        rules=[rule for name in FILES for rule in _read_rules(name)["rule"]],
        same=_read_rules("words")["same"],
        **{name: f"<{name}>" for name in ("past", "future", "opener", "hobby")},
    )


@lru_cache(maxsize=1)
def _pieces() -> dict[str, str]:
    words = _read_rules("words")
    return {**words["pieces"], **{name: _any_of(each) for name, each in words["lists"].items()}}


def _read_rules(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def _any_of(words: list[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"


SUPPOSED = re.compile(  # what follows in the sentence is a supposition
    r"\b(?:if (?!not\b)|wish|imagine|suppose|pretend|as though|unless|would have|would've|could have|almost)\b",
    re.IGNORECASE,
)
DOUBTED = re.compile(  # its own clause is a supposition
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
    """Whether the writer states it: not quoted, reported, relative ("the book I read") or excluded."""
    before = match.string[: match.start()]
    relative = SPEAKER.match(match[0]) and not rulebook().opener.search(before)
    refused = REPORTED.search(before) or QUOTED.match(before) or rule.unless.search(match.string)
    return not (relative or refused)


def stance_of(rule: Rule, match: re.Match[str], end: int) -> str:
    """Return whether the words from the match's start to `end` are stated, negated, asked or supposed."""
    if rule.stance != "stated":
        return rule.stance
    if match.string.endswith("?"):
        return "question"
    before, quote, after = (
        match.string[: match.start()],
        match.string[match.start() : end],
        match.string[end:],
    )
    clause = BORDER.split(before)[-1] + quote + BORDER.split(after, maxsplit=1)[0]
    if SUPPOSED.search(before) or DOUBTED.search(clause):
        return "hypothetical"
    negated = any(text for name, text in match.groupdict().items() if name.startswith("not"))
    return "negated" if negated else "stated"


MAX_NOUN_WORDS, MAX_VERB_WORDS = 6, 14
ENOUGH = {"graduated", "volunteer"}  # verbs that need no object
BREAK = re.compile(r" (?:and|to|for|with|from|at|in|about|through|during|on|where|by) ")
DANGLING = re.compile(r" and \w+$")  # "made a game and released" it
ITEM = r"[\w'-]+(?: [\w'-]+){0,2}"
LIST = re.compile(
    rf"{ITEM}(?:, {ITEM})*,? (?:and|&) {ITEM}(?=[.!?,;:)]|$| (?:but|because|so|since|in|on|at|with|to|for)\b)"
)
LISTED = frozenset({"likes", "dislikes", "hobby", "allergy", "visited"})


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    return {name: expand(pattern) for name, pattern in _read_rules("values").items()}


def values_of(rule: Rule, captured: str) -> tuple[list[str], int]:
    """Return the values in the captured words, and the number of characters that hold them."""
    if rule.shape == "exact":
        return [captured], len(captured)
    if (listed := LIST.match(captured)) and rule.attribute in LISTED and rule.shape == "noun":
        parts = re.split(r", and |, | and | & ", listed[0].removeprefix("both "))
        values = [value for part in parts if (value := _clean(_trim(part, rule), rule, whole=True))]
        # "rock and pop music" is one value.
        shared_noun = "," not in listed[0] and len(parts[0].split()) < len(parts[-1].split())
        if len(values) == len(parts) and not shared_noun:
            return values, len(listed[0])
    whole = _trim(captured, rule)
    # Of "took a trip and took that picture" the first half is a value.
    for kept in (whole, _strip_trailing(whole.split(" and ", maxsplit=1)[0])):
        if value := _clean(kept, rule, whole=not re.match(r" \w", captured[len(kept) :])):
            return [value], len(kept)
    return [], 0


def _trim(captured: str, rule: Rule) -> str:
    """Return the beginning of the captured words that is the value, as the text has it."""
    ends = ["ends", "noun_ends"] if rule.shape == "noun" else ["ends"]
    for pattern in [*(_patterns()[name] for name in ends), rule.stop]:
        if found := pattern.search(captured):
            captured = DANGLING.sub("", captured[: found.start()])
    marks = [place for place, letter in enumerate(captured) if letter in '"“”']
    unquoted = captured[: marks[-1]] if len(marks) % 2 else captured  # the last quotation is not closed
    return _strip_trailing(_shorten(unquoted, rule))


def _shorten(text: str, rule: Rule) -> str:
    """Cut a long noun at its first "and", a long activity at the last preposition that makes it fit."""
    if rule.shape == "noun":
        return text.split(" and ", maxsplit=1)[0] if len(text.split()) > MAX_NOUN_WORDS else text
    if len(text.split()) <= MAX_VERB_WORDS:
        return text
    breaks = [found.start() for found in BREAK.finditer(text)]
    return next((text[:end] for end in reversed(breaks) if len(text[:end].split()) <= MAX_VERB_WORDS), text)


def _strip_trailing(text: str) -> str:
    trailing = _patterns()["trailing"]
    while (shorter := trailing.sub("", text)) != text:
        text = shorter
    return text


def _clean(raw: str, rule: Rule, *, whole: bool) -> str | None:
    """Return the value without its article and small words, None where it means nothing by itself.

    `whole` is False where words that belong to it were cut off: "expressing" without its object.
    """
    leading = _patterns()["leading" if rule.shape == "noun" else "verb_leading"]
    value = leading.sub("", raw).strip()
    if not re.search(r"[^\W_]", value) or rule.avoid.search(raw) or rule.avoid.search(value):
        return None
    if not whole and re.fullmatch(r"\w+ing", value) and not rulebook().hobby.fullmatch(value):
        return None
    # "this", "it": the value needs the sentences before it.
    points = _patterns()["pointing"].search(_patterns()["timely"].sub("", value))
    if points or _patterns()["empty"].match(value.lower()) or not _has_right_length(value, rule):
        return None
    if rule.gerund:
        return _to_gerund(value)
    if rule.shape == "verb":  # it may open its sentence
        return re.sub(r"^[A-Z](?=[a-z])", lambda first: first[0].lower(), value)
    return value


def _has_right_length(value: str, rule: Rule) -> bool:
    if rule.shape == "noun":
        return len(value.split()) <= MAX_NOUN_WORDS
    timeless = rulebook().future.sub("", rulebook().past.sub("", value))
    return len(value.split()) <= MAX_VERB_WORDS and (len(timeless.split()) > 1 or timeless.strip() in ENOUGH)


def _to_gerund(phrase: str) -> str:
    """Return "collecting jerseys" for "collect jerseys"."""
    verb, *rest = phrase.split()
    stem = verb[:-1] if re.search(r"[^aeiou]e$", verb) else verb
    doubled = stem + stem[-1] if re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", stem) else stem
    return " ".join([f"{doubled}ing", *rest])


_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|\n+")
_ASIDE = re.compile(
    r"(?:,| [-\u2013\u2014]+) (?=(?:and |but |so )?(?:what|how|where|when|who|why|which|do|does|did|is|are|have|has"
    r"|any|can|could|would|will|should|you|I was wondering|I'm wondering|I wonder)\b[^,]*\?)",
    re.IGNORECASE,
)


def sentences_of(text: str) -> list[str]:
    return [sentence for part in _END.split(text) if (sentence := part.strip())]


def clauses_of(text: str) -> list[str]:
    """Return the sentences; "I live in Porto, do you?" is a statement and a question."""
    parts = (part for sentence in sentences_of(text) for part in _ASIDE.split(sentence))
    return [clause for part in parts if (clause := part.strip())]
