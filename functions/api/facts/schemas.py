"""The JSON of facts: profiles, versions, and corrections."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from functions.api.facts.explanation import FactExplanation
from functions.api.fields import BATCH_SIZE, WrittenMoment, request_body
from membus.facts.corrections import CorrectedKey, CorrectedValue
from membus.facts.fact import Fact, FactVersion
from membus.facts.observation import FactKind


class ProfileOut(BaseModel):
    """`text` is what a prompt would carry, `tokens` its estimate."""

    version: int
    facts: list[Fact]
    text: str
    tokens: int


class FactPage(BaseModel):
    """Facts of a user."""

    items: list[Fact]
    next_cursor: str | None


class ExplainedFact(Fact):
    """A fact, and why it is believed where that was asked for."""

    explanation: FactExplanation | None = Field(
        default=None, exclude_if=lambda explanation: explanation is None
    )


class FactHistory(BaseModel):
    """`valid_until` is when the value stopped to hold, as far as anybody knows by now."""

    items: list[FactVersion]
    next_cursor: str | None


CORRECTION_EXAMPLE = {
    "value": "Porto",
    "kind": "place",
    "expected_version": 2,
    "valid_from": "2026-03-01T00:00:00Z",
}
CONFLICT = {"code": "conflict", "current_version": 4, "detail": "likes.tea is at version 4, not 2"}
RESULTS_EXAMPLE: Any = {
    "results": [
        {"index": 0, "key": "home.city", "version": 3},
        {"index": 1, "key": "likes.tea", **CONFLICT},
    ]
}
VALID_FROM_DESCRIPTION = (
    "when it became true, not later than now; left out: now, or for the value that holds already, as it was"
)
KIND_DESCRIPTION = "left out: as it was, or as the key says"
EXPIRES_DESCRIPTION = "when it stops to hold, its `valid_until`; left out: never"
PINNED_DESCRIPTION = "stands against what the user says later, until a person changes it"
VERSION_DESCRIPTION = "the version you know, 0 where there must be none; left out: any"


class FactIn(BaseModel):
    """What is so. A `valid_from` before that of a newer correction lands in the past.

    The newer one still holds.
    """

    model_config = request_body({"value": "Porto"}, CORRECTION_EXAMPLE)

    value: CorrectedValue
    kind: FactKind | None = Field(default=None, description=KIND_DESCRIPTION)
    expected_version: int | None = Field(default=None, ge=0, strict=True, description=VERSION_DESCRIPTION)
    valid_from: WrittenMoment = Field(default=None, description=VALID_FROM_DESCRIPTION)
    expires_at: WrittenMoment = Field(default=None, description=EXPIRES_DESCRIPTION)
    pinned: bool = Field(default=False, strict=True, description=PINNED_DESCRIPTION)


class KeyedFactIn(FactIn):
    """A fact of a batch, with its key."""

    model_config = request_body({"key": "home.city", "value": "Porto", "expected_version": 2})

    key: CorrectedKey


class FactBatch(BaseModel):
    """Facts are checked one by one, so that one bad fact does not refuse its neighbours.

    Each key at most once.
    """

    model_config = request_body(
        {"facts": [{"key": "home.city", "value": "Porto"}, {"key": "likes.tea", "value": "tea"}]}
    )

    facts: list[Annotated[Any, WithJsonSchema(KeyedFactIn.model_json_schema())]] = BATCH_SIZE


class FactSet(BaseModel):
    """A fact of a batch that is stored."""

    index: int
    key: str
    version: int


class FactRejected(BaseModel):
    """`current_version` is told where another one was expected."""

    index: int
    key: str | None
    code: str
    detail: str
    current_version: int | None = None


class FactResults(BaseModel):
    """What became of each fact, in their order."""

    model_config = ConfigDict(json_schema_extra={"examples": [RESULTS_EXAMPLE]})

    results: list[FactSet | FactRejected]
