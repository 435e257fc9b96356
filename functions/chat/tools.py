"""The tools of chat, each one model of arguments and one function: what a model may look up or have kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from membus.conversations.prompt_blocks import escape_tags, render_event
from membus.core.clock import EARLIEST, LATEST
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import InvalidError
from membus.core.identity import Owner
from membus.core.text.normalization import normalize_text
from membus.episodes.archive.model import ArchiveQuery
from membus.episodes.archive.ports import ArchiveQueries
from membus.episodes.model import Episode, EpisodeQuery
from membus.episodes.ports import EpisodeReader
from membus.facts.fact import Fact
from membus.facts.ports import FactReader
from membus.llm.prompt import ToolDefinition
from membus.llm.tool_schemas import describe_arguments
from membus.search.ports import MemorySearchClient
from membus.tenants.settings import SettingsReader


class ToolArguments(BaseModel):
    """Arguments of a tool call; the docstring of a subclass is what the model reads of the tool."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ToolContext:
    """Who acts in a turn: no argument of a call can change it.

    `said` are the user's own words of this conversation, the newest last, that may be remembered; `remember`
    is whether this message may be.
    """

    owner: Owner
    agent_id: str
    conversation_id: str
    said: Sequence[str]
    remember: bool
    now: datetime


@dataclass(frozen=True)
class ToolSources:
    recollection: MemorySearchClient
    episodes: EpisodeReader
    archive: Callable[[], ArchiveQueries]
    hidden: Callable[[str], SubjectsBeingErased]
    facts: FactReader
    settings: SettingsReader

    def reader_of(self, acting: ToolContext) -> str | None:
        """Return the agent whose notes and episodes alone may be read, None where agents share."""
        shared = self.settings.get_settings(acting.owner.tenant).settings.shares_agents
        return None if shared else acting.agent_id


ArgumentsT = TypeVar("ArgumentsT", bound=ToolArguments)
ToolFunction = Callable[[ArgumentsT, ToolContext, ToolSources], Sequence[str]]


@dataclass(frozen=True)
class RegisteredTool:
    """A tool; `tokens` is what a result may take of the prompt, `seconds` how long a call may run."""

    name: str
    arguments: type[ToolArguments]
    act: ToolFunction[Any]
    tokens: int
    seconds: float

    def to_definition(self) -> ToolDefinition:
        """Return the tool as a prompt shows it: the same bytes in every process."""
        description, schema = describe_arguments(self.arguments)
        schema = _brief(schema)
        return ToolDefinition(name=self.name, description=description, parameters=schema)


@dataclass(frozen=True)
class ToolRegistry:
    tools: dict[str, RegisteredTool] = field(default_factory=dict)

    def register_tool(
        self, arguments: type[ArgumentsT], *, tokens: int, seconds: float
    ) -> Callable[[ToolFunction[ArgumentsT]], ToolFunction[ArgumentsT]]:
        """Register the decorated function as a tool; it returns lines, the most important first."""

        def register(act: ToolFunction[ArgumentsT]) -> ToolFunction[ArgumentsT]:
            name = act.__name__
            self.tools[name] = RegisteredTool(name, arguments, act, tokens, seconds)
            return act

        return register

    def list_definitions(self) -> tuple[ToolDefinition, ...]:
        """Return the definitions in the order of their names: every cached prompt begins with them."""
        return tuple(self.tools[name].to_definition() for name in sorted(self.tools))


_LEFT_OUT = frozenset(
    {"title", "minLength", "maxLength", "minimum", "maximum", "default", "format", "additionalProperties"}
)
"""What a prompt need not carry: arguments are checked when a tool is called."""


def _brief(part: Any) -> Any:
    """Return a schema with its keys in order, without what it need not say: bounds, defaults, null."""
    if isinstance(part, dict):
        if "anyOf" in part:
            (part,) = (each for each in part["anyOf"] if each.get("type") != "null")
        return {
            name: _brief(part[name])
            for name in sorted(part)
            if name not in _LEFT_OUT or isinstance(part[name], dict)
        }
    return [_brief(each) for each in part] if isinstance(part, list) else part


registry = ToolRegistry()
EPISODES_MAX = 50
DAYS_DEFAULT = timedelta(days=30)


class SearchMemory(ToolArguments):
    """Search the user's facts, conversations, events and documents."""

    query: str = Field(min_length=1, max_length=500)
    limit: SkipJsonSchema[int] = Field(default=10, ge=1, le=30)


class RecallEpisodes(ToolArguments):
    """List what the user did and said between two days (2026-11-30, UTC)."""

    since: date | None = None
    until: date | None = None
    limit: SkipJsonSchema[int] = Field(default=20, ge=1, le=EPISODES_MAX)


class Remember(ToolArguments):
    """Keep what the user asks you to remember, in their exact words."""

    quote: str = Field(min_length=1, max_length=1_000)


class Forget(ToolArguments):
    """Take back what the user asks to forget or says was wrong, in their exact words."""

    quote: str = Field(min_length=1, max_length=1_000)


class QueryArchive(ToolArguments):
    """Count the user's old events: one DuckDB SELECT over episodes(type, occurred_at, session_id, payload JSON).

    payload->>'text' is what was said.
    """

    sql: str = Field(min_length=1, max_length=4_000)
    since: date | None = None
    until: date | None = None


@registry.register_tool(SearchMemory, tokens=1_500, seconds=6)
def search_memory(asked: SearchMemory, acting: ToolContext, sources: ToolSources) -> Sequence[str]:
    found = sources.recollection.search(acting.owner, asked.query, agent=acting.agent_id, limit=asked.limit)
    return [passage.prompt_line for passage in found] or ["nothing was found"]


@registry.register_tool(RecallEpisodes, tokens=1_500, seconds=6)
def recall_episodes(asked: RecallEpisodes, acting: ToolContext, sources: ToolSources) -> Sequence[str]:
    end = _midnight(asked.until) + timedelta(days=1) if asked.until else acting.now
    wanted = EpisodeQuery(
        tenant=acting.owner.tenant,
        visible_to=sources.reader_of(acting),
        user_id=acting.owner.user,
        start=_midnight(asked.since) if asked.since else max(end - DAYS_DEFAULT, EARLIEST),
        end=min(end, LATEST),
    )
    page = sources.episodes.list_episodes(wanted, limit=asked.limit, after=None)
    more = (
        [f"(there are more: ask for what was since {_day_reached(page.items, wanted)})"] if page.after else []
    )
    today = f"(today is {acting.now:%A, %Y-%m-%d})"
    return [
        today,
        *(
            (render_event(each.event) for each in page.items)
            if page.items
            else ["nothing happened in that time"]
        ),
        *more,
    ]


@registry.register_tool(QueryArchive, tokens=1_500, seconds=14)
def query_archive(asked: QueryArchive, acting: ToolContext, sources: ToolSources) -> Sequence[str]:
    tenant, hidden = acting.owner.tenant, sources.hidden(acting.owner.tenant)
    without = tuple(sorted(hidden.users))
    table = sources.archive().run_query(
        ArchiveQuery(
            tenant=tenant,
            user=acting.owner.user,
            visible_to=sources.reader_of(acting),
            now=acting.now,
            without=without,
            **asked.model_dump(),
        )
    )
    more = [] if table.complete else ["(there are more rows)"]
    return [*map(_row, (table.columns, *table.rows)), *more]


@registry.register_tool(Remember, tokens=200, seconds=6)
def remember(asked: Remember, acting: ToolContext, _sources: ToolSources) -> Sequence[str]:
    """Check that the words are the user's and may be kept; the turn's event marks them, nothing is written.

    Another event of the same words would count as a second source of what they say.

    Raises:
        InvalidError: `not_to_be_remembered`, or `not_said`: the words are not the user's.
    """
    if not acting.remember:
        detail = "the user does not want this conversation's words kept"
        raise InvalidError(detail, code="not_to_be_remembered")
    _require_said(asked.quote, acting.said)
    return [
        "handed over; whether it becomes a fact is decided when it is read: say that you will try to keep it"
    ]


@registry.register_tool(Forget, tokens=200, seconds=6)
def forget(asked: Forget, acting: ToolContext, sources: ToolSources) -> Sequence[str]:
    """Return the facts that the words name; the turn's event marks the words, nothing is written.

    Raises:
        InvalidError: `not_to_be_remembered`; `not_said`: the words are not those of this message;
            `names_nothing`: they name no known fact.
    """
    if not acting.remember:
        detail = "nothing of this conversation is kept: use the API to take a fact back"
        raise InvalidError(detail, code="not_to_be_remembered")
    _require_said(asked.quote, acting.said[-1:])
    # Validation compiles so many patterns that every cold start of chat would take longer.
    from membus.facts.validation.requests_to_forget import find_forgotten  # noqa: PLC0415 - as said above

    known = sources.facts.get_profile(acting.owner).as_of(acting.now).facts
    named = [fact for fact, _ in find_forgotten(acting.said[-1], [asked.quote], known)]
    if not named:
        detail = "these words name nothing that is known: ask the user which fact is meant"
        raise InvalidError(detail, code="names_nothing")
    return ["these are forgotten as soon as the message has been read:", *map(_fact_line, named)]


def _fact_line(fact: Fact) -> str:
    return f"- {fact.key}: {escape_tags(fact.value or '')}"


def _require_said(words: str, said: Sequence[str]) -> None:
    quote = normalize_text(words)
    if not any(quote and quote in normalize_text(text) for text in said):
        raise InvalidError("quote the user's own words from this conversation, exactly", code="not_said")


def _row(cells: Sequence[str | None]) -> str:
    return " | ".join("" if cell is None else escape_tags(" ".join(cell.split())) for cell in cells)


def _day_reached(items: Sequence[Episode], wanted: EpisodeQuery) -> date:
    return (items[-1].event.occurred_at if items else wanted.start).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
