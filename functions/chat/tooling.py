"""The registry of tools: a data source is one model of its arguments and one function that answers them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from membus.domain.erasure import Hidden
from membus.domain.identity import Owner
from membus.domain.prompt import Tool
from membus.ports.archive import ArchiveQueries
from membus.ports.episodes import EpisodeReader
from membus.ports.recall import Recollection


class Arguments(BaseModel):
    """What a model may say in a call; its docstring is what the model reads of the tool."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Acting:
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
class DataSources:
    recollection: Recollection
    episodes: EpisodeReader
    archive: Callable[[], ArchiveQueries]
    hidden: Callable[[str], Hidden]


Asked = TypeVar("Asked", bound=Arguments)
Act = Callable[[Asked, Acting, DataSources], Sequence[str]]


@dataclass(frozen=True)
class RegisteredTool:
    """`tokens` is what a result may take of the prompt, `seconds` how long a call may run."""

    name: str
    arguments: type[Arguments]
    act: Act[Any]
    tokens: int
    seconds: float

    def definition(self) -> Tool:
        """Return the tool as a prompt shows it: the same bytes in every process."""
        schema = self.arguments.model_json_schema()
        description = " ".join(schema.pop("description").split())
        return Tool(name=self.name, description=description, parameters=json.loads(_canonical(schema)))


@dataclass(frozen=True)
class Registry:
    tools: dict[str, RegisteredTool] = field(default_factory=dict)

    def tool(
        self, arguments: type[Asked], *, tokens: int, seconds: float
    ) -> Callable[[Act[Asked]], Act[Asked]]:
        """Register the decorated function, under its own name, as what answers calls with these arguments.

        It returns lines of data, the most important first.
        """

        def register(act: Act[Asked]) -> Act[Asked]:
            name = act.__name__
            self.tools[name] = RegisteredTool(name, arguments, act, tokens, seconds)
            return act

        return register

    def definitions(self) -> tuple[Tool, ...]:
        """Return the definitions in the order of their names.

        They stand at the head of every prompt's cache.
        """
        return tuple(self.tools[name].definition() for name in sorted(self.tools))


def _canonical(schema: dict[str, Any]) -> str:
    """Return the schema as JSON, keys in order, without the titles that repeat the names of fields."""
    return json.dumps(_bare(schema), sort_keys=True)


def _bare(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            name: _bare(value) for name, value in part.items() if name != "title" or isinstance(value, dict)
        }
    return [_bare(each) for each in part] if isinstance(part, list) else part
