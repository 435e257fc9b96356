"""Memory is a projection, on the deployed stack: lost facts come back from episodes, and nobody is asked."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from boto3.dynamodb.conditions import Key

from localstack.home import REPOSITORY, Stack
from tests.e2e.client import Client, eventually, now, said, somebody
from tests.e2e.conftest import NewKey

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("archive")]
Command = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def tenant() -> str:
    return f"replay-{uuid4().hex[:8]}"


@pytest.fixture
def client(stack: Stack, new_key: NewKey, tenant: str) -> Any:
    client = Client(stack.api_url, new_key(tenant))
    yield client
    client.close()


@pytest.fixture
def command(tenant: str, stack_file: Path) -> Command:
    def run(*words: str) -> list[dict[str, Any]]:
        where = ["--tenant", tenant, "--stack", str(stack_file), "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "scripts", *words, *where],
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY,
        )
        assert done.returncode == 0, done.stderr
        rows: list[dict[str, Any]] = json.loads(done.stdout) if done.stdout else []
        return rows

    return run


@pytest.fixture
def user(client: Client) -> str:
    """Return somebody who said two things and corrected one."""
    user = somebody()
    client.send(said(user, "I live in Lisbon and I like tea."), said(user, "I work as a nurse."))
    eventually(
        lambda: client.facts(user), lambda facts: {"home.city", "likes.tea", "work.role"} <= facts.keys()
    )
    assert client.http.put(f"/v1/users/{user}/facts/home.city", json={"value": "Porto"}).status_code == 200
    return user


@dataclass(frozen=True)
class Items:
    """The items of the user's facts and history, as the operator sees them."""

    table: Any
    pk: str

    def read(self) -> dict[str, Any]:
        wanted = Key("pk").eq(self.pk) & Key("sk").begins_with("FACT")
        return {item["sk"]: item["body"] for item in self.table.query(KeyConditionExpression=wanted)["Items"]}

    def lose(self) -> None:
        for sk in (*self.read(), "PROFILE"):
            self.table.delete_item(Key={"pk": self.pk, "sk": sk})


@pytest.fixture
def items(session: Any, stack: Stack, tenant: str, user: str) -> Items:
    table = session.resource("dynamodb", endpoint_url=stack.endpoint_url).Table(stack.tables.memory)
    return Items(table, f"T#{tenant}#U#{user}")


def test_replay_derives_lost_facts_again_byte_for_byte(
    client: Client, command: Command, items: Items, user: str
) -> None:
    before = items.read()
    assert command("replay", "--dry-run") == []

    items.lose()
    assert client.facts(user) == {}

    assert {row["what"] for row in command("replay", "--user", user, "--dry-run")} == {"added"}
    assert client.facts(user) == {}, "a dry run writes nothing"
    command("replay", "--user", user, "--yes")
    assert items.read() == before
    assert client.facts(user)["home.city"] == "Porto"
    assert command("replay", "--yes") == []


def test_trial_is_run_promoted_and_discarded(client: Client, command: Command, user: str) -> None:
    known = client.facts(user)

    assert command("shadow", "run", "--name", "sonnet", "--model", "claude-sonnet-5-5", "--yes") == []
    assert [each["model"] for each in command("shadow", "show")] == ["claude-sonnet-5-5"]
    assert client.facts(user) == known
    command("shadow", "promote", "--name", "sonnet", "--yes")
    assert command("shadow", "show") == []
    assert client.facts(user) == known
    fact = client.get(f"/v1/users/{user}/facts/likes.tea").json()
    assert fact["provenance"]["model"] == "claude-sonnet-5-5"

    command("shadow", "run", "--name", "again", "--model", "claude-sonnet-5-5", "--yes")
    command("shadow", "discard", "--name", "again", "--yes")
    assert command("shadow", "show") == []
    command("replay", "--yes")
    assert client.get(f"/v1/users/{user}/facts/likes.tea").json()["provenance"]["model"] == "claude-haiku-5-5"


def test_replaying_the_archive_of_the_bus_changes_nothing(
    client: Client, aws: Callable[[str], Any], stack: Stack, items: Items, user: str
) -> None:
    events = aws("events")
    before = items.read()
    (archive,) = events.list_archives(EventSourceArn=bus_arn(events, stack))["Archives"]
    described = events.describe_archive(ArchiveName=archive["ArchiveName"])
    start, end = described["CreationTime"], now()

    events.start_replay(
        ReplayName=f"r-{uuid4().hex[:8]}",
        EventSourceArn=described["ArchiveArn"],
        EventStartTime=start,
        EventEndTime=end,
        Destination={"Arn": bus_arn(events, stack)},
    )
    marker = client.send(said(user, "I like chess."))
    eventually(lambda: client.facts(user), lambda facts: "likes.chess" in facts)

    after = items.read()
    assert marker
    assert {sk: after[sk] for sk in before} == before


def bus_arn(events: Any, stack: Stack) -> str:
    arn: str = events.describe_event_bus(Name=stack.bus_name)["Arn"]
    return arn
