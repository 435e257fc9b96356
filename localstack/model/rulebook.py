"""Loads the observer's rules.

Data in `rules/*.toml`, whose patterns are put together from pieces and word lists.

Whose words a stretch of a sentence is, and whether it states, supposes, denies or asks.

Makes a short, clean value of the words a rule captured, or none.

Splits what people write in chats into sentences, and what stands before a question from the question.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent / "rules"
FILES = ("identity", "people", "tastes", "doings")  # the first rule that reads a stretch of words keeps it
PIECE = re.compile(r"(?<!\?P)<(\w+)>")
NEVER = r"(?!)"


@dataclass(frozen=True)
class Rule:
    """One way of saying something.

    `pattern` captures the value; `attribute` and `value` are templates over what it captures. `shape` says
    how a captured rest of a sentence is trimmed, `stop` where it ends besides. A `timed` rule wants words of
    time; `avoid` refuses values, `unless` whole sentences; a `third` rule speaks of somebody else; an `also`
    rule may read words that another has read; a `gerund` rule makes "collecting stamps" of "collect stamps".
    """

    attribute: str
    kind: str
    pattern: re.Pattern[str]
    shape: Literal["noun", "verb", "exact"]
    value: str
    third: bool
    timed: bool
    stance: str
    avoid: re.Pattern[str]
    unless: re.Pattern[str]
    stop: re.Pattern[str]
    also: bool
    gerund: bool


@dataclass(frozen=True)
class Rulebook:
    rules: tuple[Rule, ...]
    past: re.Pattern[str]
    future: re.Pattern[str]
    opener: re.Pattern[str]
    hobby: re.Pattern[str]
    same: dict[str, str]


@lru_cache(maxsize=1)
def rulebook() -> Rulebook:
    times = {name: re.compile(expanded(f"<{name}>")) for name in ("past", "future", "opener", "hobby")}
    data = (
        rule for name in FILES for rule in tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["rule"]
    )
    return Rulebook(rules=tuple(_rule(each) for each in data), same=_words()["same"], **times)


@lru_cache(maxsize=1)
def _pieces() -> dict[str, str]:
    words = _words()
    return {**words["pieces"], **{name: _any_of(each) for name, each in words["lists"].items()}}


@lru_cache(maxsize=1)
def _words() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "words.toml").read_text("utf-8"))


def _any_of(words: list[str]) -> str:
    return f"(?:{'|'.join(re.escape(word) for word in sorted(words, key=len, reverse=True))})"


def expanded(pattern: str) -> str:
    """Put pieces in place until none is left.

    Of groups with one name the second is named name2, and so on.
    """
    while found := PIECE.search(pattern):
        pattern = f"{pattern[: found.start()]}{_pieces()[found[1]]}{pattern[found.end() :]}"
    names: dict[str, int] = {}

    def unique(group: re.Match[str]) -> str:
        names[group[1]] = names.get(group[1], 0) + 1
        return f"(?P<{group[1]}{names[group[1]] if names[group[1]] > 1 else ''}>"

    return re.sub(r"\(\?P<(\w+?)\d*>", unique, pattern)


def _rule(data: dict[str, Any]) -> Rule:
    def compiled(name: str) -> re.Pattern[str]:
        return re.compile(expanded(data.get(name, NEVER)))

    return Rule(
        attribute=data["attribute"],
        kind=data["kind"],
        pattern=compiled("pattern"),
        shape=data.get("shape", "noun"),
        value=data.get("value", "{value}"),
        third=data.get("third", False),
        timed=data.get("timed", False),
        stance=data.get("stance", "stated"),
        avoid=compiled("avoid"),
        unless=compiled("unless"),
        stop=compiled("stop"),
        also=data.get("also", False),
        gerund=data.get("gerund", False),
    )


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


MAX_NOUN_WORDS, MAX_VERB_WORDS = 6, 14
ENOUGH = {"graduated", "volunteer"}  # doings that say something without an object
BREAK = re.compile(r" (?:and|to|for|with|from|at|in|about|through|during|on|where|by) ")
DANGLING = re.compile(r" and \w+$")  # "made a game and released" it
ITEM = r"[\w'-]+(?: [\w'-]+){0,2}"
LIST = re.compile(
    rf"{ITEM}(?:, {ITEM})*,? (?:and|&) {ITEM}(?=[.!?,;:)]|$| (?:but|because|so|since|in|on|at|with|to|for)\b)"
)
LISTED = frozenset({"likes", "dislikes", "hobby", "allergy", "visited"})


@lru_cache(maxsize=1)
def _patterns() -> dict[str, re.Pattern[str]]:
    data = tomllib.loads((FOLDER / "values.toml").read_text("utf-8"))
    return {name: re.compile(expanded(pattern)) for name, pattern in data.items()}


def values_of(rule: Rule, captured: str) -> tuple[list[str], int]:
    """Return the values in the captured words, and how many of their characters say them."""
    if rule.shape == "exact":
        return [captured], len(captured)
    if (listed := LIST.match(captured)) and rule.attribute in LISTED and rule.shape == "noun":
        parts = re.split(r", and |, | and | & ", listed[0].removeprefix("both "))
        values = [value for part in parts if (value := cleaned(trimmed(part, rule), rule, whole=True))]
        shared_head = "," not in listed[0] and len(parts[0].split()) < len(
            parts[-1].split()
        )  # "rock and pop music"
        if len(values) == len(parts) and not shared_head:
            return values, len(listed[0])
    whole = trimmed(captured, rule)
    for kept in (whole, _bare(whole.split(" and ", maxsplit=1)[0])):  # "took a trip and took that picture"
        if value := cleaned(kept, rule, whole=not re.match(r" \w", captured[len(kept) :])):
            return [value], len(kept)
    return [], 0


def trimmed(captured: str, rule: Rule) -> str:
    """Return the beginning of the captured words that is the value, as it stands in the text."""
    ends = ["ends", "noun_ends"] if rule.shape == "noun" else ["ends"]
    for pattern in [*(_patterns()[name] for name in ends), rule.stop]:
        if found := pattern.search(captured):
            captured = DANGLING.sub("", captured[: found.start()])
    return _bare(_shortened(_unquoted(captured), rule))


def _unquoted(text: str) -> str:
    """Cut at a quotation mark that is not closed."""
    marks = [place for place, letter in enumerate(text) if letter in '"“”']
    return text[: marks[-1]] if len(marks) % 2 else text


def _shortened(text: str, rule: Rule) -> str:
    """Cut a long noun at its first "and", a long doing at the last preposition that leaves it short enough."""
    if rule.shape == "noun":
        return text.split(" and ", maxsplit=1)[0] if len(text.split()) > MAX_NOUN_WORDS else text
    if len(text.split()) <= MAX_VERB_WORDS:
        return text
    breaks = [found.start() for found in BREAK.finditer(text)]
    return next((text[:end] for end in reversed(breaks) if len(text[:end].split()) <= MAX_VERB_WORDS), text)


def _bare(text: str) -> str:
    trailing = _patterns()["trailing"]
    while (shorter := trailing.sub("", text)) != text:
        text = shorter
    return text


def cleaned(raw: str, rule: Rule, *, whole: bool) -> str | None:
    """Return the value without its article and small words, None where it says nothing by itself.

    `whole` is False where words that belonged to it were cut off: "expressing" without what is expressed.
    """
    leading = _patterns()["leading" if rule.shape == "noun" else "verb_leading"]
    value = leading.sub("", raw).strip()
    if not re.search(r"[^\W_]", value) or rule.avoid.search(raw) or rule.avoid.search(value):
        return None
    if not whole and re.fullmatch(r"\w+ing", value) and not rulebook().hobby.fullmatch(value):
        return None
    if _pointing(value) or not _right_length(value, rule):
        return None
    return gerund(value) if rule.gerund else _uncapitalised(value, rule)


def _uncapitalised(value: str, rule: Rule) -> str:
    """Write a doing in lower case also where it opened its sentence."""
    return (
        re.sub(r"^[A-Z](?=[a-z])", lambda first: first[0].lower(), value) if rule.shape == "verb" else value
    )


def _pointing(value: str) -> bool:
    """Say whether the value means nothing without what was said before it."""
    timeless = _patterns()["timely"].sub("", value)
    return bool(_patterns()["pointing"].search(timeless) or _patterns()["empty"].match(value.lower()))


def _right_length(value: str, rule: Rule) -> bool:
    if rule.shape == "noun":
        return len(value.split()) <= MAX_NOUN_WORDS
    timeless = rulebook().future.sub("", rulebook().past.sub("", value))
    return len(value.split()) <= MAX_VERB_WORDS and (len(timeless.split()) > 1 or timeless.strip() in ENOUGH)


def gerund(phrase: str) -> str:
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
    """Return the sentences, a question at the end of one as its own.

    "I live in Porto, do you?" states and asks.
    """
    return [
        clause
        for sentence in sentences_of(text)
        for part in _ASIDE.split(sentence)
        if (clause := part.strip())
    ]
