"""`tier …` as an operator runs it against the deployed stack."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import REPOSITORY, Stack
from tests.e2e.client import Client, now, said, somebody
from tests.e2e.conftest import NewKey
from tests.e2e.test_episodes import append, ids

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("archive")]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def tenant() -> str:
    return f"tier-{uuid4().hex[:8]}"


@pytest.fixture
def client(stack: Stack, new_key: NewKey, tenant: str) -> Any:
    client = Client(stack.api_url, new_key(tenant))
    yield client
    client.close()


@pytest.fixture
def tier(stack_file: Path) -> Command:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts", "tier", *words, "--stack", str(stack_file), "--json"]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY)

    return run


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_operator_archives_reconciles_and_compacts(client: Client, tier: Command, tenant: str) -> None:
    user, agent = somebody(), "guide"
    month = (now() - timedelta(days=60)).replace(day=10, hour=12)  # two days of one month, whatever today is
    long_ago = [month, month + timedelta(days=1), month + timedelta(days=20), now() - timedelta(days=9)]
    sent = append(client, agent, *(said(user, "tea", occurred_at=at.isoformat()) for at in long_ago))

    (planned,) = rows(tier("run", "--dry-run"))
    assert int(planned["episodes"]) >= len(sent)
    assert rows(tier("status", "--tenant", tenant)) == []
    rows(tier("run"))
    (status,) = rows(tier("status", "--tenant", tenant))
    assert (status["agent"], status["episodes"], status["objects"]) == (agent, "4", "4")

    lines = rows(tier("reconcile", "--tenant", tenant))
    assert [(line["recorded"], line["hot"], line["cold"], line["missing"]) for line in lines] == [
        ("1", "1", "1", "0")
    ] * 4

    assert rows(tier("compact", "--tenant", tenant, "--dry-run"))[0]["objects"] in {"2", "3", "4"}
    rows(tier("compact", "--tenant", tenant))
    assert int(rows(tier("status", "--tenant", tenant))[0]["objects"]) < 4
    (verified,) = rows(tier("verify", "--tenant", tenant))
    assert verified["episodes"] == "4"
    assert ids(client, agent, **{"from": (now() - timedelta(days=100)).isoformat()}) == sent


def test_removed_object_is_named_and_restored(
    client: Client, tier: Command, tenant: str, aws: Callable[[str], Any], stack: Stack
) -> None:
    append(client, "guide", said(somebody(), "tea", occurred_at=(now() - timedelta(days=9)).isoformat()))
    rows(tier("run"))
    (found,) = aws("s3").list_objects_v2(Bucket=stack.bucket, Prefix=f"{tenant}/")["Contents"]
    aws("s3").delete_object(Bucket=stack.bucket, Key=found["Key"])

    refused = tier("verify", "--tenant", tenant)
    assert refused.returncode == 1
    assert found["Key"] in refused.stderr
    assert rows(tier("restore", "--tenant", tenant)) == [{"object": found["Key"], "state": "brought back"}]
    rows(tier("verify", "--tenant", tenant))


def test_report_is_an_html_page(client: Client, tier: Command, tenant: str, tmp_path: Path) -> None:
    append(client, "guide", said(somebody(), "tea", occurred_at=(now() - timedelta(days=9)).isoformat()))
    rows(tier("run"))
    page = tmp_path / "tiers.html"

    assert tier("report", "--tenant", tenant, "--html", str(page)).returncode == 0
    assert page.read_text(encoding="utf-8").count("<svg") == 2


def test_invalid_arguments_are_refused_in_one_line(tier: Command) -> None:
    for words in (["status", "--tenant", "nobody"], ["restore", "--tenant", "demo", "--since", "yesterday"]):
        refused = tier(*words)
        assert refused.returncode in {1, 2}
        assert "Traceback" not in refused.stderr
