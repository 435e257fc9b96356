"""scripts.target: what the options of a command connect to, over moto in this process."""

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from membus.aws import clients
from scripts.cli import main
from scripts.target import open_target
from tests.contract.tenants_table import tenants_table


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The commands set boto3's variables for their process; here they must not outlive the test."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    yield
    clients.forget_clients()


def test_an_environment_is_found_by_the_name_of_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    with tenants_table():
        assert main(["tenant", "create", "acme", "--environment", "test", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)[0]["tenant_id"] == "acme"


def test_an_environment_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with tenants_table():
        assert main(["tenant", "list", "--environment", "nowhere"]) == 1

    assert capsys.readouterr().err.startswith("error: An error occurred (ResourceNotFoundException)")


def test_a_stack_file_names_the_endpoint_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    stack = {"endpoint_url": "http://127.0.0.1:1", "tables": {"tenants": "membus-local-tenants"}}
    file.write_text(json.dumps(stack))

    target = open_target(Namespace(environment=None, region="us-east-1", stack=file))

    assert target.environment == "local"
    assert (
        clients.dynamodb_table("membus-local-tenants").meta.client.meta.endpoint_url == "http://127.0.0.1:1"
    )
