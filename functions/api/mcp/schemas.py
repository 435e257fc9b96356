"""The JSON of an answer, and the arguments of each tool, whose docstrings and descriptions a model reads."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from functions.api.fields import REQUIRE_VISIBLE, request_body
from membus.facts.corrections import CorrectedKey, CorrectedValue
from membus.search.model import MemoryKind


class RpcErrorOut(BaseModel):
    """An error of the protocol; those of tools are results."""

    code: int
    message: str
    data: dict[str, Any] | None = None


class RpcAnswerOut(BaseModel):
    """A JSON-RPC 2.0 answer: a result or an error; the id is null where none could be read."""

    jsonrpc: Literal["2.0"]
    id: str | int | None
    result: dict[str, Any] | None = None
    error: RpcErrorOut | None = None


class CorrectFactArguments(BaseModel):
    """Set one fact about the user because they said that what is known is wrong or has changed.

    It outranks what was said before. Take the key from get_profile. For something new use remember instead.
    """

    model_config = request_body()

    key: CorrectedKey = Field(description="key of the fact as get_profile shows it, e.g. home.city")
    value: CorrectedValue = Field(description="what is so now, as short as a profile would say it")


class ForgetArguments(BaseModel):
    """Take one fact about the user back because they asked to forget it, or because it was never true.

    Take the key from get_profile. Only call it when the user asks for it.
    """

    model_config = request_body()

    key: CorrectedKey = Field(description="key of the fact as get_profile shows it, e.g. likes.tea")


class GetContextArguments(BaseModel):
    """Return what the memory has for one message: the user's profile, and what was said before that may matter.

    Call it before you answer a message that may depend on who the user is or on earlier conversations.
    """

    model_config = request_body()

    message: Annotated[str, REQUIRE_VISIBLE] = Field(
        max_length=2_000, description="the user's message, as they wrote it"
    )


class GetProfileArguments(BaseModel):
    """Return the current facts about the user, one a line: key, value, and since when it holds.

    Call it once at the start of a conversation, and for the key of a fact to correct or forget.
    """

    model_config = request_body()

    as_of: date | None = Field(
        default=None, description="what was true at the end of that day, UTC; left out: what is true now"
    )


class ListRecentArguments(BaseModel):
    """List what the user said and did last, the newest first, with its time.

    Use it for «what did we talk about last time?». For a subject use search_memory.
    """

    model_config = request_body()

    limit: int = Field(default=20, ge=1, le=50, strict=True)


class RememberArguments(BaseModel):
    """Keep something lasting that the user said about themselves, in their own words and in the first person.

    One statement a call, e.g. «I moved to Porto in March.» It is read within about a minute and then stands in the
    profile. Not for small talk, secrets, your own words, or what a document says.
    """

    model_config = request_body()

    text: Annotated[str, REQUIRE_VISIBLE] = Field(max_length=4_000, description="the user's own words")


class SearchMemoryArguments(BaseModel):
    """Search everything known of the user by meaning and by words: facts, past messages, events, documents.

    Use it when an answer may lie in something said or done before. Each result says its date and kind.
    """

    model_config = request_body()

    query: Annotated[str, REQUIRE_VISIBLE] = Field(
        max_length=2_000, description="what to look for, as a phrase or question"
    )
    kinds: list[MemoryKind] = Field(default_factory=list, description="only these kinds; left out: all")
    limit: int = Field(default=8, ge=1, le=30, strict=True)
    since: date | None = Field(default=None, description="first day, UTC")
    until: date | None = Field(default=None, description="last day, UTC")
