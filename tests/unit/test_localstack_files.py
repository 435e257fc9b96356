"""localstack: the files of a stack, and the fingerprint of the sources."""

import stat
from pathlib import Path

import pytest

from localstack.deploy import fingerprint
from localstack.home import Home, Stack, Tables, read_environment

STACK = Stack(
    endpoint_url="http://127.0.0.1:4566",
    api_url="http://127.0.0.1:4566/_aws/execute-api/0a1b2c3d",
    ws_url="ws://127.0.0.1:4566/_aws/execute-api/def/v1",
    bus_name="membus-local-bus",
    tenant_id="demo",
    api_key="mb_local_key",
    tables=Tables(memory="m", conversations="c", tenants="t", idempotency="i"),
    bucket="b",
    postgres_dsn="postgresql://membus_app:password@127.0.0.1:5432/membus",
    redis_url="redis://127.0.0.1:6379/0",
    model_url="http://127.0.0.1:4580",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for file in (
        "functions/chat/handler.py",
        "terraform/modules/api/main.tf",
        "functions/chat/__pycache__/handler.pyc",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("one")
    return tmp_path


def test_a_stack_file_round_trips_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text("left from before, readable by everybody")

    STACK.write(file)

    assert Stack.read(file) == STACK
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("source", ["functions/chat/handler.py", "terraform/modules/api/main.tf"])
def test_a_changed_source_changes_the_fingerprint(checkout: Path, source: str) -> None:
    before = fingerprint({}, checkout)

    (checkout / source).write_text("two")

    assert fingerprint({}, checkout) != before


def test_bytecode_does_not_change_the_fingerprint(checkout: Path) -> None:
    before = fingerprint({}, checkout)

    (checkout / "functions/chat/__pycache__/handler.pyc").write_text("two")

    assert fingerprint({}, checkout) == before


def test_another_port_changes_the_fingerprint(checkout: Path) -> None:
    assert fingerprint({"ports": {"redis": 1}}, checkout) != fingerprint({"ports": {"redis": 2}}, checkout)


def test_deleting_records_leaves_only_the_logs(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.create_folders()
    home.log_file("emulator").write_text("what it said\n")
    for file in (
        home.stack_file,
        home.record_file("emulator"),
        home.data_folder("postgres"),
        home.state_file,
    ):
        file.write_text("of one life")

    home.delete_records()

    assert [found.name for found in tmp_path.iterdir()] == ["logs"]
    assert home.read_log_tail("emulator") == "    what it said"


def test_a_variable_of_the_shell_overrides_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("FROM_FILE=file\nFROM_BOTH=file\nLEFT_EMPTY=\n")
    monkeypatch.setenv("FROM_BOTH", "shell")

    env = read_environment(tmp_path / ".env")

    assert (env["FROM_FILE"], env["FROM_BOTH"]) == ("file", "shell")
    assert "LEFT_EMPTY" not in env
