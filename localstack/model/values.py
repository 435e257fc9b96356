"""Makes a short, clean value of the words a rule captured, or none."""

import re
import tomllib
from functools import lru_cache

from localstack.model.rulebook import FOLDER, Rule, expanded, rulebook

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
