"""What a model proposes, who read it, and who spoke."""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from membus.domain.identity import Record
from membus.domain.observations import FactKind

Stance = Literal["stated", "hypothetical", "negated", "question"]


class Candidate(Record):
    """A fact as the model proposes it, before anybody believes it."""

    event_id: str
    subject: str = Field(description="`user`, or the name of whoever else the fact is about")
    attribute: str = Field(description="dotted lower-case path, e.g. home.city, likes, family.sister")
    value: str
    quote: str = Field(description="the exact words of that event that say so")
    kind: FactKind
    stance: Stance


class Extractor(Record):
    """Which reader proposed: kept with every fact it led to.

    `instructions` are the words it was given to read by.
    """

    model: str
    prompt_version: str
    instructions: str = ""


@dataclass(frozen=True)
class Speaker:
    """What is known of who speaks: the names they go by, and the zone (IANA) in which their days begin."""

    names: tuple[str, ...] = ()
    timezone: str | None = None
