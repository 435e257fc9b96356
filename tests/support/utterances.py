"""The corpus of labelled utterances.

What a model that believes everything would propose, and what is right.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from functions.extract.prompt import CURRENT_INSTRUCTIONS
from membus.facts.candidates import Candidate, Extractor, ReviewRequest
from membus.facts.observation import Observation
from membus.facts.validation.validator import validate_candidates
from tests.factories import recorded, said

CORPUS = Path(__file__).parents[1] / "corpus" / "utterances.jsonl"
ADMIT, ANY = "admit", "any"
READER = Extractor(model="gullible", prompt_version="1", instructions=CURRENT_INSTRUCTIONS.text)


@dataclass(frozen=True)
class Utterance:
    """`expected` is `admit`, a reason, several of them joined by `/`, or `any` of them."""

    group: str
    language: str
    text: str
    attribute: str
    value: str
    expected: str
    quote: str = ""

    @property
    def candidate(self) -> Candidate:
        return Candidate(
            event_id="e1",
            subject="user",
            attribute=self.attribute,
            value=self.value,
            quote=self.quote or self.text,
            kind="identity",
            stance="stated",
        )

    @property
    def is_fact(self) -> bool:
        return self.expected == ADMIT


@dataclass(frozen=True)
class ValidatedUtterance:
    utterance: Utterance
    reason: str | None
    held: bool

    @property
    def admitted(self) -> bool:
        return self.reason is None

    @property
    def right(self) -> bool:
        return self.admitted is self.utterance.is_fact

    @property
    def right_reason(self) -> bool:
        if self.utterance.expected == ANY:
            return not self.admitted
        return (self.reason or ADMIT) in self.utterance.expected.split("/")


def utterances() -> list[Utterance]:
    return [Utterance(**json.loads(line)) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


def validate_utterances() -> list[ValidatedUtterance]:
    """Return the gate's verdict on every utterance, each alone in its event."""
    found = []
    for each in utterances():
        (verdict,) = validate_candidates([each.candidate], {"e1": recorded(said(each.text))}, READER)
        reason = None if isinstance(verdict, Observation) else verdict.reason
        if isinstance(verdict, Observation) and verdict.denies:
            reason = "past" if each.expected == "past" else "negated"  # it ends the value, and teaches none
        found.append(ValidatedUtterance(each, reason, isinstance(verdict, ReviewRequest)))
    return found
