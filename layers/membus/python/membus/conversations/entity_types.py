"""The kinds of things a conversation is about: a pattern that finds them and a validator that proves them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from membus.conversations import entity_values as values
from membus.core.text.checksums import is_iban, is_isbn, is_payment_card, is_tracking_number
from membus.core.text.time_expressions import MONTHS

TEXT_MAX = 20_000
"""Characters that are looked at: far beyond a message of 500 tokens, and a bound for an answer's length."""
PER_TYPE_MAX = 5
"""Of a list of fifty order ids the conversation is not about each: the first five of a type count."""
CARD = "payment_card"
_BEGIN, _END = r"(?<![\w-])", r"(?![\w-])"
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_AMOUNT = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?)"
_CODE = "(?:USD|EUR|GBP|JPY|CHF|INR|CAD|AUD|CNY|SEK|NOK|DKK|PLN|BRL|MXN)"


@dataclass(frozen=True)
class EntityMatch:
    """An entity found in a text; `value` is its one spelling, `start` and `end` are its place."""

    type: str
    value: str
    start: int
    end: int

    @property
    def identity(self) -> tuple[str, str]:
        return self.type, self.value


@dataclass(frozen=True)
class EntityType:
    """`canonical` turns the first group of a match into its one spelling, or None: it only looked alike."""

    name: str
    pattern: re.Pattern[str]
    canonical: values.Canonical


def _type(name: str, canonical: values.Canonical, pattern: str, *, any_case: bool = True) -> EntityType:
    flags = re.ASCII | (re.IGNORECASE if any_case else re.NOFLAG)
    return EntityType(name, re.compile(pattern, flags), canonical)


_ISBN, _TRACKING = values.proven_by(is_isbn), values.proven_by(is_tracking_number)
TYPES = (
    _type(
        "url_host",
        values.host,
        r"\b(?:https?://(?:[^\s/@<>]{1,64}@)?|(?=www\.))([a-z0-9.-]{3,253})(?::\d{1,5})?(?:[/?#][^\s<>]*)?",
    ),
    _type("email", values.email, r"(?<![\w.+-])([\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})\b"),
    _type("uuid", values.uuid, rf"{_BEGIN}([0-9a-f]{{8}}-(?:[0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}){_END}"),
    _type("isbn", _ISBN, rf"\bisbn(?:-1[03])?:?\s?((?:97[89][- ]?)?(?:\d[- ]?){{9}}[\dX]){_END}"),
    _type("isbn", _ISBN, rf"{_BEGIN}(97[89][- ]?(?:\d[- ]?){{9}}\d){_END}"),
    _type("isbn", _ISBN, rf"{_BEGIN}(\d{{1,5}}-\d{{1,7}}-\d{{1,7}}-[\dX]){_END}"),
    _type("order_id", values.order_id, rf"{_BEGIN}(\d{{3}}-\d{{7}}-\d{{7}}){_END}"),
    _type(
        "tracking_number",
        _TRACKING,
        rf"{_BEGIN}(1Z[0-9A-Z]{{16}}|[A-Z]{{2}}\d{{9}}[A-Z]{{2}}|9[1-5](?: ?\d){{18,20}}){_END}",
    ),
    _type(
        "iban",
        values.proven_by(is_iban),
        rf"{_BEGIN}([A-Z]{{2}}\d{{2}}(?: ?[0-9A-Z]{{4}}){{2,7}}(?: ?[0-9A-Z]{{1,4}})?){_END}",
    ),
    _type("asin", values.asin, rf"{_BEGIN}(B0[0-9A-Z]{{8}}){_END}", any_case=False),
    _type(CARD, values.proven_by(is_payment_card), rf"{_BEGIN}(\d(?:[ -]?\d){{12,18}}){_END}"),
    _type(
        "order_id",
        values.order_id,
        r"\b(?:order|purchase|booking|reservation|confirmation)"
        r"(?:\s(?:id|no|nr|number|code|reference))?(?:\sis)?"
        rf"[.:]?\s?#?((?=[\w-]{{0,23}}\d)[A-Z0-9][A-Z0-9-]{{2,22}}[A-Z0-9]){_END}",
    ),
    _type("ticket", str, rf"{_BEGIN}([A-Z]{{2,10}}-\d{{1,6}}){_END}", any_case=False),
    _type(
        "ip_address",
        values.address,
        r"(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9a-f]{1,4}:){2,7}:?[0-9a-f]{0,4})(?![\w:]|\.\d)",
    ),
    _type(
        "version",
        values.version,
        r"\b(?:v|(?:version|release)\s)(\d{1,5}(?:\.\d{1,5}){0,3}(?:-[0-9a-z.-]{1,20})?)(?!\w)",
    ),
    _type(
        "version",
        values.version,
        r"(?<![\w.$€£])(\d{1,4}\.\d{1,4}\.\d{1,5}(?:-(?:alpha|beta|rc)[0-9a-z.]{0,8})?)(?!\w|\.\d)",
    ),
    _type(
        "date",
        values.day,
        rf"{_BEGIN}(\d{{4}}-\d{{2}}-\d{{2}}|{_DAY}\s(?:of\s)?(?:{_MONTH})\b(?:,?\s\d{{4}})?"
        rf"|(?:{_MONTH})\s{_DAY}(?:,?\s\d{{4}})?){_END}",
    ),
    _type(
        "money",
        values.money,
        rf"(?<![\w.,])([$€£¥₹]\s?{_AMOUNT}|{_CODE}\s{_AMOUNT}"
        rf"|{_AMOUNT}\s?(?:[€£¥₹]|{_CODE}\b))(?!\w)",
    ),
    _type(
        "error_code",
        str.upper,
        rf"\b(?:error|http|status)(?:\scode)?[\s:#]{{1,2}}([1-5]\d{{2}}|[A-Z]{{1,8}}[-_]?\d{{2,6}}){_END}",
    ),
    _type(
        "phone",
        values.phone,
        rf"(?<![\w.-])(\+\d(?:[ ().-]{{0,2}}\d){{7,14}}|\(?0?\d{{2,4}}\)?[ -]\d{{3,4}}[ -]\d{{3,5}}){_END}",
    ),
)
"""The first type that proves its claim owns the characters.

Patterns are linear: every repetition has a bound or cannot overlap what follows. Payment cards are recognised
so that nothing else claims their digits, and are never kept.
"""


def find_entities(text: str) -> list[EntityMatch]:
    """Return what is found in `text`, in reading order, each thing once, at most five of a type."""
    taken: list[EntityMatch] = []
    for kind in TYPES:
        matches = _find_matches(kind, text[:TEXT_MAX])
        taken += [each for each in matches if not any(_overlap(each, other) for other in taken)]
    kept: dict[tuple[str, str], EntityMatch] = {}
    for found in sorted(taken, key=lambda found: found.start):
        enough = sum(each.type == found.type for each in kept.values()) >= PER_TYPE_MAX
        if found.type != CARD and found.identity not in kept and not enough:
            kept[found.identity] = found
    return list(kept.values())


def _find_matches(kind: EntityType, text: str) -> Iterator[EntityMatch]:
    for match in kind.pattern.finditer(text):
        if value := kind.canonical(match[1]):
            yield EntityMatch(kind.name, value, *match.span())


def _overlap(one: EntityMatch, other: EntityMatch) -> bool:
    return one.start < other.end and other.start < one.end
