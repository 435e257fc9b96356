"""The Python client on the deployed stack, as its users install and call it."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from membus_client import AsyncMembus, ConflictError, Membus, NotFoundError, PermissionDeniedError
from tests.e2e.client import eventually, somebody

ROOT = Path(__file__).parents[2]
SDK = ROOT / "sdk/python"


@pytest.fixture
def membus(stack_file: Path) -> Iterator[Membus]:
    with Membus.local(stack_file) as client:
        yield client


def test_what_a_user_says_is_learned_found_and_corrected(membus: Membus) -> None:
    ada = membus.user(somebody("ada"))

    outcome = ada.wait_read(ada.remember("I live in Bath and I love jazz."))
    assert {fact["value"] for fact in outcome.facts} == {"Bath", "jazz"}
    assert "home.city: Bath" in ada.profile().text
    assert {fact.key for fact in ada.facts.list()} == {"home.city", "likes.jazz"}
    found = eventually(lambda: ada.search("Where does she live?").results, bool)
    assert "Bath" in found[0].text

    city = ada.facts.set("home.city", "Oslo")
    with pytest.raises(ConflictError) as conflict:
        ada.facts.set("home.city", "Bergen", expected_version=city.version - 1)
    assert conflict.value.current_version == city.version
    assert [version.value for version in ada.facts.history("home.city")] == ["Bath", "Oslo"]
    ada.facts.delete("home.city")
    with pytest.raises(NotFoundError):
        ada.facts.get("home.city")


def test_a_conversation_is_answered_whole_and_word_by_word(membus: Membus) -> None:
    user = somebody("ada")
    membus.user(user).facts.set("home.city", "Bath")
    talk = membus.conversations.create(user, title="Trip").conversation_id

    answer = membus.conversations.say(talk, "Where do I live?", author=user)
    pieces = list(membus.conversations.stream(talk, "Where do I live?", author=user))

    assert "Bath" in answer.text
    assert "Bath" in "".join(piece.text for piece in pieces)
    assert [piece.begins for piece in pieces[:2]] == [True, False][: len(pieces)]
    roles = [message.role for message in membus.conversations.messages(talk)]
    assert roles == ["user", "assistant"] * 2
    with pytest.raises(PermissionDeniedError):
        membus.conversations.get(talk, user_id="eve")


def test_states_memories_and_episodes_come_back(membus: Membus) -> None:
    user, guide = somebody("ada"), membus.agent(somebody("guide"))

    state = guide.put_state("s1", {"step": 1})
    assert guide.get_state("s1").data == {"step": 1}
    with pytest.raises(ConflictError):
        guide.put_state("s1", {"step": 2}, expected_version=state.version + 5)
    (receipt,) = membus.memories.add([{"text": "The shop closes at nine.", "user_id": user}])
    assert membus.memories.get(receipt.id).text == "The shop closes at nine."
    guide.append([{"user_id": user, "type": "note.saved", "payload": {"n": 1}}])
    assert [episode.payload for episode in guide.episodes(user_id=user)] in ([{"n": 1}], [])


@pytest.mark.parametrize("name", ["मोहन", "நீ", "andre\u0301", "用户"])
def test_users_and_facts_of_any_script_are_addressed(membus: Membus, name: str) -> None:
    user = membus.user(somebody(name))
    key = f"allergy.{name}"

    user.facts.set(key, "yes")

    assert user.facts.get(key).value == "yes"
    assert [version.value for version in user.facts.history(key)] == ["yes"]
    user.facts.delete(key)
    assert [fact.key for fact in user.facts.list()] == []


def test_an_export_and_an_erasure_are_waited_for(membus: Membus) -> None:
    user = somebody("ada")
    ada = membus.user(user)
    ada.facts.set("home.city", "Bath")

    export = membus.jobs.wait(ada.export())

    assert (export.kind, export.status) == ("export", "done")
    assert ada.erase(confirm=user).kind == "erasure"


def test_the_async_client_has_the_same_answers(stack_file: Path) -> None:
    async def talk() -> tuple[str, list[str]]:
        async with AsyncMembus.local(stack_file) as membus:
            ada = membus.user(somebody("ada"))
            await ada.facts.set("home.city", "Bath")
            return (await ada.profile()).text, [fact.key async for fact in ada.facts.list()]

    text, keys = asyncio.run(talk())

    assert ("home.city: Bath" in text, keys) == (True, ["home.city"])


def test_the_readme_runs_from_an_installed_package(stack_file: Path, tmp_path: Path) -> None:
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "-q", "--python", sys.executable]
    options = ["--no-deps", "--no-build-isolation", "--target", str(installed)]
    source = tmp_path / "source"  # a build leaves files beside its sources
    subprocess.run(["cp", "-r", str(SDK), str(source)], check=True)  # noqa: S607 - cp is everywhere
    subprocess.run([*uv, *options, str(source)], check=True)
    (snippet,) = re.findall(r"```python\n(.*?)```", (SDK / "README.md").read_text(), re.DOTALL)
    (elsewhere / ".local").mkdir()
    (elsewhere / ".local/stack.json").write_text(stack_file.read_text())

    done = subprocess.run(
        [sys.executable, "-c", snippet],
        cwd=elsewhere,
        env=_environment(installed),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "home.city: Bath" in done.stdout
    assert "somebody was faster" in done.stdout
    assert "Oslo" in done.stdout.splitlines()[-1]


def _environment(installed: Path) -> dict[str, Any]:
    path = os.environ.get("PATH", "")  # noqa: TID251 - a child process needs one
    return {"PATH": path, "PYTHONPATH": str(installed)}
