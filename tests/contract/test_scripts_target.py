"""scripts.target: what the options of a command connect to, and what is missing, over moto."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ProfileNotFound

from membus.aws import clients
from membus.core.errors import UnavailableError
from scripts.cli import main
from scripts.target import explain_error, open_target
from tests.contract.tenants_table import tenants_table


@pytest.fixture(autouse=True)
def no_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "DEFAULT_REGION", "ENDPOINT_URL", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


def test_environment_is_found_by_the_name_of_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    with tenants_table():
        assert main(["tenant", "create", "acme", "--environment", "test", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)[0]["tenant_id"] == "acme"


def test_missing_environment_is_reported_with_account_and_region(capsys: pytest.CaptureFixture[str]) -> None:
    with tenants_table():
        assert main(["tenant", "list", "--environment", "nowhere"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: account 123456789012 has no environment nowhere in us-east-1")
    assert line.endswith("or deploy it: make apply ENV=nowhere")


def test_missing_credentials_are_reported_with_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert main(["tenant", "list", "--environment", "dev"]) == 1

    assert capsys.readouterr().err.startswith(
        "error: no AWS credentials for --environment dev: log in with `aws sso login`"
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ClientError({"Error": {"Code": "ExpiredTokenException"}}, "Query"), "aws sso login"),
        (ProfileNotFound(profile="ops"), "aws configure list-profiles"),
        (EndpointConnectionError(endpoint_url="https://x"), "check --region and the network"),
    ],
)
def test_cause_of_an_aws_error_is_explained_with_what_to_do(error: Exception, expected: str) -> None:
    failed = UnavailableError("the table cannot be reached")
    failed.__cause__ = error

    assert expected in explain_error(failed, Namespace(environment="dev", region="eu-west-9", stack=None))


def test_stack_that_does_not_answer_is_reported_with_how_to_start_it() -> None:
    explained = explain_error(UnavailableError("no answer"), Namespace(environment=None, stack=None))

    assert explained == "no answer; is the local stack up? `make up` starts it"


def test_stack_file_names_the_endpoint_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    stack = {"endpoint_url": "http://127.0.0.1:1", "tables": {"tenants": "membus-local-tenants"}}
    file.write_text(json.dumps(stack))

    target = open_target(Namespace(environment=None, region="us-east-1", stack=file))

    assert target.environment == "local"
    assert (
        clients.dynamodb_table("membus-local-tenants").meta.client.meta.endpoint_url == "http://127.0.0.1:1"
    )
