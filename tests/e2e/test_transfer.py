"""Memory that travels, on the deployed stack.

Out by the API and the command, in again as somebody else's events.
"""

import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx2
import pytest

from localstack.home import REPOSITORY
from membus.tenants.api_keys import ApiScope
from tests.e2e.client import Client, eventually, now, said, server_error, somebody
from tests.e2e.conftest import NewKey

pytestmark = pytest.mark.stack
Command = Callable[..., list[dict[str, Any]]]
SAMPLES = Path(__file__).parent.parent / "samples" / "imports"


@pytest.fixture
def tenant() -> str:
    return f"transfer-{uuid4().hex[:8]}"


@pytest.fixture
def client(stack: Any, new_key: NewKey, tenant: str) -> Any:
    client = Client(stack.api_url, new_key(tenant, scopes=tuple(ApiScope)))
    yield client
    client.close()


@pytest.fixture
def command(tenant: str, stack_file: Path) -> Command:
    return partial(scripts, stack_file, tenant)


@pytest.fixture
def elsewhere(stack: Any, new_key: NewKey, tenant: str, stack_file: Path) -> Iterator[tuple[Client, Command]]:
    """Return another tenant's door and its operator."""
    other = f"{tenant}-2"
    client = Client(stack.api_url, new_key(other, scopes=tuple(ApiScope)))
    yield client, partial(scripts, stack_file, other)
    client.close()


def scripts(stack_file: Path, tenant: str, *words: str) -> list[dict[str, Any]]:
    where = ["--tenant", tenant, "--stack", str(stack_file), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "scripts", *words, *where],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )
    assert done.returncode in {0, 3}, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


@pytest.fixture
def ada(client: Client) -> str:
    """Return somebody who said two things, met three errors, corrected one fact and put a document."""
    user = somebody("ada")
    noon = now().replace(hour=12) - timedelta(days=2)
    client.send(
        said(user, "I live in Lisbon and I like tea.", occurred_at=noon.isoformat()),
        *(server_error(user, at=noon + timedelta(minutes=n)) for n in range(1, 4)),
        {"user_id": user, "type": "setting.changed", "payload": {"name": "theme", "to": "dark"}},
    )
    known = {"home.city", "likes.tea", "setting.theme", "frustrated_by.error-500"}
    eventually(lambda: client.facts(user), lambda facts: known <= facts.keys())
    assert client.http.put(f"/v1/users/{user}/facts/home.city", json={"value": "Porto"}).status_code == 200
    assert (
        client.post("/v1/memories", {"items": [{"text": "Her shopping list", "user_id": user}]}).status_code
        < 300
    )
    return user


def test_memory_of_a_user_is_imported_for_another_user(
    client: Client, command: Command, ada: str, tmp_path: Path
) -> None:
    archive, eve = tmp_path / "ada.zip", somebody("eve")
    rows = {row["file"]: int(row["rows"]) for row in command("export", "--user", ada, "--out", str(archive))}

    assert (rows["events.jsonl"], rows["documents.jsonl"]) == (6, 1)
    assert archive.stat().st_mode & 0o077 == 0, "the operator's alone"
    told = command("import", str(archive), "--from", "membus", "--user", eve, "--yes")
    assert sum(int(row["count"]) for row in told if row["what"] == "event") == 6
    mine = client.facts(ada)
    assert eventually(lambda: client.facts(eve), lambda facts: facts == mine) == mine
    before = client.get(f"/v1/users/{eve}/facts/home.city/history").json()

    command("import", str(archive), "--from", "membus", "--user", eve, "--yes")
    marker = client.send(said(eve, "I like chess."))
    eventually(lambda: client.facts(eve), lambda facts: "likes.chess" in facts)
    assert marker
    assert client.get(f"/v1/users/{eve}/facts/home.city/history").json() == before, "twice changes nothing"


def test_exported_user_continues_in_another_tenant(
    client: Client, command: Command, ada: str, elsewhere: tuple[Client, Command], tmp_path: Path
) -> None:
    """What an archive holds comes back after the user was erased here.

    Facts, words, documents, working memory.
    """
    talk = client.post("/v1/conversations", {"user_id": ada, "title": "Tea"}).json()["conversation_id"]
    for words in ("I like green tea.", "I like oolong."):
        answered = client.post(f"/v1/conversations/{talk}/messages", {"content": words, "author": ada})
        assert answered.status_code in {200, 201, 202}, answered.text
    lease = f"/v1/agents/default/sessions/s-{ada}/state"
    assert client.http.put(lease, json={"data": {"step": 3}}).status_code == 200
    noted = {"user_id": ada, "session_id": f"s-{ada}", "type": "page.viewed", "payload": {"path": "/tea"}}
    client.send(noted)
    told = eventually(lambda: life_of(client, ada, talk), lambda life: "likes.oolong" in str(life["facts"]))

    def export() -> dict[str, int]:
        archive.unlink(missing_ok=True)
        rows = command("export", "--user", ada, "--out", str(archive))
        return {row["file"]: int(row["rows"]) for row in rows}

    archive = tmp_path / "ada.zip"
    counts = eventually(export, lambda rows: rows["states.jsonl"] == 1 and rows["documents.jsonl"] == 1)
    assert counts["conversations.jsonl"] == 5
    assert client.post(f"/v1/users/{ada}:erase", {}).status_code == 202

    there, bring = elsewhere
    rows = bring("import", str(archive), "--from", "membus", "--user", ada, "--yes")
    restored = {row["which"]: int(row["count"]) for row in rows if row["what"] == "restored"}
    assert restored == {"conversation": 1, "document": 1, "message": 4, "state": 1}
    assert eventually(lambda: life_of(there, ada, talk), lambda life: life == told) == told
    assert there.get(lease).json()["data"] == {"step": 3}
    found = eventually(
        lambda: there.post("/v1/search", {"query": "shopping list", "user_id": ada, "k": 5}).json()[
            "results"
        ],
        lambda results: any(each["text"] == "Her shopping list" for each in results),
    )
    assert found
    again = bring("import", str(archive), "--from", "membus", "--user", ada, "--yes")
    assert not [row for row in again if row["what"] == "restored"], "twice changes nothing"
    assert life_of(there, ada, talk) == told


def life_of(client: Client, user: str, talk: str) -> dict[str, Any]:
    """Return what somebody would miss: facts, and who said what and when in a conversation."""
    said = client.get(f"/v1/conversations/{talk}/messages").json().get("items", [])
    kept = ("message_id", "author", "role", "content", "created_at")
    return {"facts": client.facts(user), "said": [{name: each[name] for name in kept} for each in said]}


def test_export_file_is_downloaded_from_its_link(client: Client, ada: str) -> None:
    asked = client.post(f"/v1/users/{ada}:export", {})
    assert asked.status_code == 202, asked.text
    where = asked.headers["location"]

    done = eventually(lambda: client.get(where).json(), lambda job: job["status"] != "running")
    assert done["status"] == "done"
    with ZipFile(io.BytesIO(httpx2.get(done["url"]).content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["user"], manifest["files"]["events.jsonl"]["rows"]) == (ada, 6)


def test_import_of_another_system_is_found_and_only_messages_become_facts(
    client: Client, command: Command
) -> None:
    user = somebody("zoe")
    told = command("import", str(SAMPLES / "zep.jsonl"), "--from", "zep", "--user", user, "--yes")

    assert {row["which"]: row["count"] for row in told if row["what"] == "event"} == {
        "memory.imported": "1",
        "message.sent": "3",
    }
    facts = eventually(lambda: client.facts(user), lambda facts: {"home.city", "likes.tea"} <= facts.keys())
    assert facts["home.city"] == "Lisbon"
    fact = client.get(f"/v1/users/{user}/facts/home.city").json()
    assert fact["valid_from"].startswith("2025-03-01T12:00:00")
    found = eventually(
        lambda: client.post("/v1/search", {"query": "Ada lives in Lisbon", "user_id": user, "k": 5}).json(),
        lambda answer: any(each["text"] == "Ada lives in Lisbon" for each in answer["results"]),
    )
    assert any(each["text"] == "Ada lives in Lisbon" for each in found["results"])
