"""Claude's memory tool over session states, in the real client's tool loop, on the fake and on DynamoDB."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from anthropic import Anthropic
from anthropic.lib.tools import ToolError

from membus.core.errors import ConflictError
from membus.states.claude_memory_tool import CHANGE_RETRY, ClaudeMemoryTool
from membus.states.dynamodb import DynamoStates
from membus.states.model import AgentSession, State
from membus.states.ports import StateStore
from tests.fakes.clock import StoppedClock
from tests.fakes.states import InMemoryStates
from tests.strict import strict_aws
from tests.support.tables import make_bucket, make_table

DAY = timedelta(days=1)
SESSION = AgentSession(tenant="acme", agent="coach", session_id="s1")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(params=["fake", "strict"])
def states(request: pytest.FixtureRequest, clock: StoppedClock) -> Iterator[StateStore]:
    if request.param == "fake":
        yield InMemoryStates(clock)
    else:
        with strict_aws():
            yield DynamoStates(make_table("memory"), make_bucket(), clock)


@pytest.fixture
def memory(states: StateStore, clock: StoppedClock) -> ClaudeMemoryTool:
    return ClaudeMemoryTool(states, SESSION, lifetime=DAY, clock=clock)


def uses(command: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "tool_use",
        "id": f"toolu_{uuid4().hex}",
        "name": "memory",
        "input": {"command": command, **fields},
    }


def run(client: Anthropic, url: str, memory: ClaudeMemoryTool, *commands: dict[str, Any]) -> list[Any]:
    """Let the model call the commands one after the other; return the results it reads."""
    marker = uuid4().hex
    answers: list[Any] = [
        {"content": [command], "stop_reason": "tool_use", "match": marker if not place else ""}
        for place, command in enumerate(commands)
    ]
    httpx2.post(f"{url}/_script", json={"answers": [*answers, {"text": "Done."}]}).raise_for_status()
    runner = client.beta.messages.tool_runner(  # without a thread that the provider would keep
        model="m",
        max_tokens=200,
        thread=False,
        tools=[memory],
        messages=[{"role": "user", "content": f"Take notes. {marker}"}],
    )
    assert runner.until_done().content[0].to_dict()["text"] == "Done."
    calls = httpx2.get(f"{url}/_calls", params={"match": marker}).json()["calls"]
    assert calls[0]["body"]["tools"] == [{"type": "memory_20250818", "name": "memory"}]
    return [
        (block.get("is_error", False), block["content"])
        for said in calls[-1]["body"]["messages"]
        if said["role"] == "user" and isinstance(said["content"], list)
        for block in said["content"]
    ]


def test_a_model_keeps_notes_through_the_real_client(
    anthropic: Anthropic, model_url: str, memory: ClaudeMemoryTool, states: StateStore, clock: StoppedClock
) -> None:
    told = run(
        anthropic,
        model_url,
        memory,
        uses("create", path="/memories/tea.md", file_text="green\nblack"),
        uses("str_replace", path="/memories/tea.md", old_str="black", new_str="white"),
        uses("insert", path="/memories/tea.md", insert_line=2, insert_text="oolong"),
        uses("rename", old_path="/memories/tea.md", new_path="/memories/drinks/tea.md"),
        uses("view", path="/memories/drinks/tea.md"),
    )

    assert [failed for failed, _ in told] == [False] * 5
    assert told[-1][1].splitlines()[1:] == ["     1\tgreen", "     2\twhite", "     3\toolong"]
    assert states.get_state(SESSION) == State(
        data={"memories": {"/memories/drinks/tea.md": "green\nwhite\noolong"}},
        version=4,
        expires_at=clock() + DAY,
    )


def test_a_path_outside_of_memories_is_an_error_for_the_model(
    anthropic: Anthropic, model_url: str, memory: ClaudeMemoryTool
) -> None:
    told = run(anthropic, model_url, memory, uses("view", path="/memories/../../etc/passwd"))

    assert told[0][0] is True
    assert "Path must be /memories" in str(told[0][1])


def test_other_data_of_the_session_state_stays(memory: ClaudeMemoryTool, states: StateStore) -> None:
    states.put_state(SESSION, {"step": 3}, expires_at=StoppedClock()() + DAY, expected_version=None)

    memory.call({"command": "create", "path": "/memories/a", "file_text": "x"})
    memory.call({"command": "delete", "path": "/memories/a"})

    assert states.get_state(SESSION).data == {"step": 3, "memories": {}}


def test_sessions_agents_and_tenants_have_separate_notes(states: StateStore, clock: StoppedClock) -> None:
    others = (
        SESSION.model_copy(update={"session_id": "s2"}),
        SESSION.model_copy(update={"tenant": "zeta"}),
        SESSION.model_copy(update={"agent": "coach2"}),
    )
    ClaudeMemoryTool(states, SESSION, lifetime=DAY, clock=clock).call(
        {"command": "create", "path": "/memories/a", "file_text": "mine"}
    )

    for other in others:
        with pytest.raises(ToolError):
            ClaudeMemoryTool(states, other, lifetime=DAY, clock=clock).call(
                {"command": "view", "path": "/memories/a"}
            )


def test_notes_expire_with_their_session(memory: ClaudeMemoryTool, clock: StoppedClock) -> None:
    memory.call({"command": "create", "path": "/memories/a", "file_text": "x"})
    clock.advance(DAY)

    with pytest.raises(ToolError):
        memory.call({"command": "view", "path": "/memories/a"})


class Raced:
    """A store in which another writer precedes each of the first `times` writes."""

    def __init__(self, states: StateStore, times: int) -> None:
        self._states, self._left = states, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._states, name)

    def put_state(self, session: AgentSession, data: dict[str, Any], **fields: Any) -> State:
        if self._left:
            self._left -= 1
            notes = ClaudeMemoryTool(self._states, session, lifetime=DAY, clock=StoppedClock())
            notes.call({"command": "create", "path": f"/memories/rival{self._left}", "file_text": "theirs"})
        return self._states.put_state(session, data, **fields)


def test_notes_written_at_the_same_moment_are_all_kept(states: StateStore, clock: StoppedClock) -> None:
    raced: Any = Raced(states, CHANGE_RETRY.tries - 1)

    ClaudeMemoryTool(raced, SESSION, lifetime=DAY, clock=clock).call(
        {"command": "create", "path": "/memories/mine", "file_text": "mine"}
    )

    assert len(states.get_state(SESSION).data["memories"]) == CHANGE_RETRY.tries


def test_a_write_that_loses_every_race_is_an_error_and_changes_nothing(
    states: StateStore, clock: StoppedClock
) -> None:
    raced: Any = Raced(states, CHANGE_RETRY.tries)

    with pytest.raises(ToolError, match="somebody else"):
        ClaudeMemoryTool(raced, SESSION, lifetime=DAY, clock=clock).call(
            {"command": "create", "path": "/memories/mine", "file_text": "mine"}
        )

    assert "/memories/mine" not in states.get_state(SESSION).data["memories"]


def test_a_write_with_an_absent_expected_version_is_a_conflict(
    memory: ClaudeMemoryTool, states: StateStore
) -> None:
    memory.clear_all_memory()

    with pytest.raises(ConflictError):
        states.put_state(SESSION, {}, expires_at=StoppedClock()() + DAY, expected_version=0)
