"""The corpus of situations: what a user says, what a good model proposes, and the facts that are right at the end."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from membus.facts.attributes import is_single_valued
from membus.facts.fact import Fact
from membus.llm.prompt import Prompt
from tests.factories import ADA, NOON, said
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, shown

CORPUS = Path(__file__).parents[1] / "corpus" / "situations.jsonl"


@dataclass(frozen=True)
class Situation:
    """Messages of one user, an hour apart, and the facts that a person would believe after them.

    A fact of `right` is `attribute=value`, where it matters with ` since ` or ` until ` and a day. The half
    `dev` was looked at while the code was changed, `held` after its figure was taken (81 of 94). `fresh` was
    written last and read by nobody before its figure (58 of 60).
    """

    half: str
    group: str
    language: str
    said: tuple[Mapping[str, Any], ...]
    right: tuple[str, ...]
    after_days: int = 0


@dataclass(frozen=True)
class Outcome:
    situation: Situation
    believed: frozenset[str]

    @property
    def is_right(self) -> bool:
        return not self.false and not self.missing

    @property
    def false(self) -> set[str]:
        """The facts that are believed and not right."""
        return {
            each for each in self.believed if not any(_fits(right, each) for right in self.situation.right)
        }

    @property
    def missing(self) -> set[str]:
        """The facts that are right and not believed."""
        return {
            right for right in self.situation.right if not any(_fits(right, each) for each in self.believed)
        }


def situations() -> list[Situation]:
    lines = (json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines())
    return [
        Situation(**line | {"said": tuple(line["said"]), "right": tuple(line["right"])}) for line in lines
    ]


def play_situation(situation: Situation) -> Outcome:
    """Return what is believed after the messages, each read by itself."""
    texts = {f"e{number}": message for number, message in enumerate(situation.said)}

    def read(prompt: Prompt) -> str:
        return json.dumps(
            {"facts": [fact for each in shown(prompt) for fact in _proposed(each["event_id"], texts)]}
        )

    extraction = Extraction(ScriptedModel(read))
    for number, (event_id, message) in enumerate(texts.items()):
        at = NOON + timedelta(hours=number)
        extraction.send(said(message["text"], event_id, occurred_at=at))
    end = NOON + timedelta(hours=len(texts), days=situation.after_days)
    return Outcome(situation, frozenset(_describe(extraction.facts.get_profile(ADA).facts, end)))


def _proposed(event_id: str, texts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    message = texts[event_id]
    default = {
        "event_id": event_id,
        "subject": "user",
        "quote": message["text"],
        "kind": "identity",
        "stance": "stated",
    }
    return [default | fact for fact in message["facts"]]


def _describe(facts: Iterable[Fact], now: datetime) -> Iterable[str]:
    for fact in facts:
        if fact.value is None or (fact.valid_until and fact.valid_until <= now):
            continue
        path = fact.key if is_single_valued(fact.key) else fact.key.rpartition(".")[0]
        until = f" until {fact.valid_until:%Y-%m-%d}" if fact.valid_until else ""
        yield f"{path}={fact.value} since {fact.valid_from:%Y-%m-%d}{until}"


def _fits(right: str, believed: str) -> bool:
    """Whether a believed fact is a right one: of what the right one does not name, nothing is asked."""
    fact, _, rest = believed.partition(" since ")
    since, _, until = rest.partition(" until ")
    wanted, _, end = right.partition(" until ")
    wanted, _, begin = wanted.partition(" since ")
    path, _, value = fact.partition("=")
    named, _, meant = wanted.partition("=")
    same = value.casefold() == meant.casefold() and (path == named or path.startswith(f"{named}."))
    return same and begin in {"", since} and end in {"", until}
