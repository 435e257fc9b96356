"""The registry of tools: a data source is one model of its arguments and one function that answers them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from membus.domain.erasure import SubjectsBeingErased
from membus.domain.identity import Owner
from membus.domain.prompt import ToolDefinition
from membus.ports.archive import ArchiveQueries
from membus.ports.episodes import EpisodeReader
from membus.ports.recall import MemorySearchClient


class ToolArguments(BaseModel):
    """What a model may say in a call; its docstring is what the model reads of the tool."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ToolContext:
    """Who acts, as the turn says: no argument of a call can change it.

    `said` are the user's own words of this conversation, the newest last, that may be remembered; `remember`
    is whether this message may be. `whole_tenant` is the right of a key with the scope `admin` to see all
    users' events.
    """

    owner: Owner
    agent_id: str
    conversation_id: str
    said: Sequence[str]
    remember: bool
    now: datetime
    whole_tenant: bool = False


@dataclass(frozen=True)
class ToolSources:
    recollection: MemorySearchClient
    episodes: EpisodeReader
    archive: Callable[[], ArchiveQueries]
    hidden: Callable[[str], SubjectsBeingErased]


ArgumentsT = TypeVar("ArgumentsT", bound=ToolArguments)
ToolFunction = Callable[[ArgumentsT, ToolContext, ToolSources], Sequence[str]]


@dataclass(frozen=True)
class RegisteredTool:
    """`tokens` is what a result may take of the prompt, `seconds` how long a call may run."""

    name: str
    arguments: type[ToolArguments]
    act: ToolFunction[Any]
    tokens: int
    seconds: float

    def definition(self) -> ToolDefinition:
        """Return the tool as a prompt shows it: the same bytes in every process."""
        schema = self.arguments.model_json_schema()
        description = " ".join(schema.pop("description").split())
        return ToolDefinition(
            name=self.name, description=description, parameters=json.loads(_canonical_json(schema))
        )


@dataclass(frozen=True)
class ToolRegistry:
    tools: dict[str, RegisteredTool] = field(default_factory=dict)

    def tool(
        self, arguments: type[ArgumentsT], *, tokens: int, seconds: float
    ) -> Callable[[ToolFunction[ArgumentsT]], ToolFunction[ArgumentsT]]:
        """Register the decorated function, under its own name, as what answers calls with these arguments.

        It returns lines of data, the most important first.
        """

        def register(act: ToolFunction[ArgumentsT]) -> ToolFunction[ArgumentsT]:
            name = act.__name__
            self.tools[name] = RegisteredTool(name, arguments, act, tokens, seconds)
            return act

        return register

    def definitions(self) -> tuple[ToolDefinition, ...]:
        """Return the definitions in the order of their names.

        They stand at the head of every prompt's cache.
        """
        return tuple(self.tools[name].definition() for name in sorted(self.tools))


def _canonical_json(schema: dict[str, Any]) -> str:
    """Return the schema as JSON, keys in order, without the titles that repeat the names of fields."""
    return json.dumps(_without_titles(schema), sort_keys=True)


def _without_titles(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _without_titles(value)
            for name, value in part.items()
            if name != "title" or isinstance(value, dict)
        }
    return [_without_titles(each) for each in part] if isinstance(part, list) else part
