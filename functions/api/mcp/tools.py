"""The tools of the MCP server: for each a model of arguments and a function over one user's memory.

No argument names a user: whose memory it is follows from the request, so no model can reach another one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from functions.api.events.schemas import EventReceipt
from functions.api.events.usecase import NothingAcceptedError
from functions.api.facts import corrections
from functions.api.facts.usecase import read_profile
from functions.api.fields import describe_first_error
from functions.api.mcp.protocol import JsonObject
from functions.api.mcp.schemas import (
    CorrectFactArguments,
    ForgetArguments,
    GetContextArguments,
    GetProfileArguments,
    ListRecentArguments,
    RememberArguments,
    SearchMemoryArguments,
)
from functions.api.mcp.texts import DATA_NOTE
from functions.api.search.schemas import SearchIn, SearchResults
from functions.api.search.usecase import MemorySearcher, recalled_passages
from membus.conversations.prompt_blocks import fence_block, render_event
from membus.conversations.recall import (
    RECALL_TOKENS,
    RECALL_TOKENS_MAX,
    render_recall_block,
    select_passages,
)
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ForbiddenError, InvalidError
from membus.core.identity import Owner
from membus.episodes.ports import RecentEvents
from membus.facts.corrections import Correction
from membus.facts.ports import FactStore
from membus.llm.tool_schemas import describe_arguments

READ_SCOPE, WRITE_SCOPE, EVENTS_SCOPE = "memory:read", "memory:write", "events:write"
PROFILE_TOKENS = 1_000
CANDIDATES = 60
"""Asked of the search of get_context: more than fit, for what the profile says already is left out."""
SESSION = "mcp"
"""The session of what is remembered through this server, by which an operator finds it."""


@dataclass(frozen=True)
class UserMemory:
    """The memory of one user, as the tools use it.

    `check_readable` and `check_writable` ask the ledger of erasures. `record_event` takes a message event and
    the key under which a repeat is the same event.
    """

    owner: Owner
    now: datetime
    facts: FactStore
    recent: RecentEvents
    searcher: Callable[[], MemorySearcher]
    hidden: Callable[[], SubjectsBeingErased]
    check_readable: Callable[[], None]
    check_writable: Callable[[], None]
    record_event: Callable[[JsonObject, str], EventReceipt]


ArgumentsT = TypeVar("ArgumentsT", bound=BaseModel)


@dataclass(frozen=True)
class McpTool(Generic[ArgumentsT]):
    """A tool; its name is that of the function, its description the docstring of the arguments."""

    title: str
    scope: str
    arguments: type[ArgumentsT]
    act: Callable[[ArgumentsT, UserMemory], str]
    destructive: bool = False
    idempotent: bool = False

    @property
    def name(self) -> str:
        return self.act.__name__

    @property
    def is_read_only(self) -> bool:
        return self.scope == READ_SCOPE

    def to_json(self) -> JsonObject:
        """Return the tool as `tools/list` shows it: the same bytes in every process."""
        description, schema = describe_arguments(self.arguments)
        hints = {"readOnlyHint": self.is_read_only, "openWorldHint": False}
        if not self.is_read_only:
            hints |= {"destructiveHint": self.destructive, "idempotentHint": self.idempotent}
        return {
            "name": self.name,
            "title": self.title,
            "description": description,
            "inputSchema": schema,
            "annotations": hints,
        }

    def run(self, arguments: object, memory: UserMemory, scopes: frozenset[str]) -> str:
        """Return the tool's text.

        Raises:
            ForbiddenError: `scope_missing`.
            InvalidError: the arguments do not fit.
            MembusError: whatever the use case refuses.
        """
        if self.scope not in scopes:
            raise ForbiddenError(f"this key lacks the scope {self.scope}", code="scope_missing")
        try:
            asked = self.arguments.model_validate(arguments)
        except ValidationError as error:
            raise InvalidError(describe_first_error(error, "arguments")) from error
        (memory.check_readable if self.is_read_only else memory.check_writable)()
        return self.act(asked, memory)


def correct_fact(asked: CorrectFactArguments, memory: UserMemory) -> str:
    fact = _change(Correction(key=asked.key, value=asked.value), memory)
    return f"Done: {fact} is now {asked.value}."


def forget(asked: ForgetArguments, memory: UserMemory) -> str:
    return f"Done: {_change(Correction(key=asked.key), memory)} is no longer believed."


def get_context(asked: GetContextArguments, memory: UserMemory) -> str:
    profile = memory.facts.get_profile(memory.owner).as_of(memory.now)
    lines = profile.render_lines(budget=PROFILE_TOKENS)
    block = fence_block("profile", lines) if lines else ""
    query = SearchIn(query=asked.message, user_id=memory.owner.user, k=CANDIDATES)
    found = memory.searcher().search_memories(memory.owner.tenant, query, hidden=memory.hidden())
    passages = select_passages(
        recalled_passages(found),
        conversation_id="",
        window=(),
        shown=block,
        budget=RECALL_TOKENS,
        most=RECALL_TOKENS_MAX,
    )
    blocks = [each for each in (block, render_recall_block(passages)) if each]
    return "\n".join([DATA_NOTE, *blocks, *_incomplete(found)]) if blocks else "Nothing is known yet."


def get_profile(asked: GetProfileArguments, memory: UserMemory) -> str:
    return get_profile_text(memory, _end_of(asked.as_of) if asked.as_of else None)


def list_recent(asked: ListRecentArguments, memory: UserMemory) -> str:
    events = memory.recent.list_recent_events(memory.owner, limit=asked.limit)
    if not events:
        return "Nothing was said or done lately."
    return "\n".join((DATA_NOTE, fence_block("recent", map(render_event, events))))


def remember(asked: RememberArguments, memory: UserMemory) -> str:
    """Record the words as a message of the user; the same words on the same day are the same event.

    Raises:
        MembusError: the event was rejected.
    """
    event = {
        "user_id": memory.owner.user,
        "session_id": SESSION,
        "type": "message.sent",
        "payload": {"text": asked.text},
    }
    try:
        receipt = memory.record_event(event, f"{SESSION}\n{memory.now:%Y-%m-%d}")
    except NothingAcceptedError as error:
        (rejected,) = error.receipt.rejected
        raise type(error.common_error)(rejected.detail, code=rejected.code) from error
    return f"Recorded as event {receipt.accepted[0].event_id}; what it says stands in the profile soon."


def search_memory(asked: SearchMemoryArguments, memory: UserMemory) -> str:
    query = SearchIn(
        query=asked.query,
        user_id=memory.owner.user,
        kinds=asked.kinds,
        k=asked.limit,
        since=_written(asked.since),
        until=None if asked.until is None else _written(asked.until + timedelta(days=1)),
        max_tokens=RECALL_TOKENS,
    )
    found = memory.searcher().search_memories(memory.owner.tenant, query, hidden=memory.hidden())
    lines = [passage.prompt_line for passage in recalled_passages(found)]
    if not lines:
        return "\n".join(["Nothing was found.", *_incomplete(found)])
    return "\n".join([DATA_NOTE, fence_block("found", lines), *_incomplete(found)])


def get_profile_text(memory: UserMemory, moment: datetime | None = None) -> str:
    """Return the profile as a fenced block; the resource shows it, too."""
    memory.check_readable()
    profile = read_profile(memory.owner, moment, now=memory.now, facts=memory.facts)
    if not profile.facts:
        return "Nothing is known yet."
    return "\n".join((DATA_NOTE, fence_block("profile", profile.text.splitlines())))


def _change(correction: Correction, memory: UserMemory) -> str:
    """Write a correction or a retraction, and return its key."""
    event_id = corrections.correction_event_id(memory.owner, correction.key, None, place=SESSION)
    change = corrections.FactChange(correction, event_id)
    corrections.correct_fact(memory.owner, change, now=memory.now, facts=memory.facts)
    return correction.key


def _incomplete(found: SearchResults) -> list[str]:
    return ["Part of the memory could not be searched: there may be more."] if found.degraded else []


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _written(day: date | None) -> Any:
    return None if day is None else f"{day:%Y-%m-%d}T00:00:00Z"


TOOLS: tuple[McpTool[Any], ...] = (
    McpTool("Correct a fact", WRITE_SCOPE, CorrectFactArguments, correct_fact),
    McpTool("Forget a fact", WRITE_SCOPE, ForgetArguments, forget, destructive=True),
    McpTool("Look up what matters to a message", READ_SCOPE, GetContextArguments, get_context),
    McpTool("Show the profile", READ_SCOPE, GetProfileArguments, get_profile),
    McpTool("List what happened last", READ_SCOPE, ListRecentArguments, list_recent),
    McpTool("Remember something", EVENTS_SCOPE, RememberArguments, remember, idempotent=True),
    McpTool("Search the memory", READ_SCOPE, SearchMemoryArguments, search_memory),
)
"""In the order of their names, for every cached prompt begins with them."""
