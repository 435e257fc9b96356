"""scripts/cost: what an idle environment costs is counted from the plan of its own Terraform."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from localstack.home import REPOSITORY
from scripts.cost.estimate import work
from scripts.cost.plan import count_plan
from tests.integration.terraform_cli import bare_environment, run_in

FIXTURES = REPOSITORY / "terraform" / "modules" / "platform" / "tests" / "fixtures"
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    """Start an account for the plans, which ask it who they are."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield bare_environment() | {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TF_VAR_alarm_topic_arn": "arn:aws:sns:us-east-1:123456789012:alarms",
    }
    server.stop()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what a plan reads: Terraform, the API's document and zips that stand for the build."""
    root = tmp_path_factory.mktemp("tree")
    shutil.copytree(REPOSITORY / "terraform", root / "terraform", ignore=shutil.ignore_patterns(".terraform"))
    shutil.copytree(FIXTURES, root / "dist" / "lambda")
    (root / "functions" / "api").mkdir(parents=True)
    shutil.copy(REPOSITORY / "functions" / "api" / "openapi.json", root / "functions" / "api")
    return root


def plan(environment: str, tree: Path, account: dict[str, str]) -> dict[str, Any]:
    folder = tree / "terraform" / "environments" / environment
    (folder / "backend_override.tf").write_text(LOCAL_BACKEND)
    run_in(folder, "init", "-input=false", env=account)
    run_in(folder, "plan", "-input=false", "-lock=false", "-out=plan", env=account)
    shown: dict[str, Any] = json.loads(run_in(folder, "show", "-json", "plan", env=account))
    return shown


@pytest.mark.parametrize("environment", sorted(work()["environments"]))
def test_fixed_costs_are_those_of_the_plans_own_resources(
    environment: str, tree: Path, account: dict[str, str]
) -> None:
    assert count_plan(plan(environment, tree, account)) == work()["environments"][environment]
