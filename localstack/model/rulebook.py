"""Loads the observer's rules.

Data in `rules/*.toml`, whose patterns are put together from pieces and word lists.
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
