"""scripts: the commands for tenants and keys, over stores in memory."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from functions.authorize.usecase import authenticate
from membus.core.errors import NotFoundError
from membus.tenants.api_keys import ApiScope, Credential
from membus.tenants.provisioning import create_key
from scripts.cli import main
from scripts.target import Target
from tests.support.targets import NOW, Run, a_target, a_tenant, run_on


@pytest.fixture
def target() -> Target:
    return a_target(a_tenant())


@pytest.fixture
def run(target: Target) -> Run:
    return run_on(target)


def test_created_key_is_accepted_with_exactly_its_scopes(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("key", "create", "acme", "--name", "web", "--scopes", "events:write,memory:read") == 0

    text = capsys.readouterr().out.strip()
    key = authenticate(f"Bearer {text}", environment="dev", keys=target.keys, now=NOW)
    assert (key.tenant_id, key.name, key.scopes) == (
        "acme",
        "web",
        (ApiScope.EVENTS_WRITE, ApiScope.MEMORY_READ),
    )


def test_key_is_shown_once_and_the_operator_learns_it(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    run("key", "create", "acme")
    shown = capsys.readouterr()
    run("key", "list", "acme")
    listed = capsys.readouterr().out

    (key,) = target.keys.list_keys("acme")
    assert "shown this once" in shown.err
    assert key.key_id in listed
    assert Credential.parse(shown.out.strip()).secret not in listed


def test_key_has_all_scopes_but_admin_by_default(run: Run, target: Target) -> None:
    run("key", "create", "acme")

    assert set(ApiScope) - set(target.keys.list_keys("acme")[0].scopes) == {ApiScope.ADMIN}


@pytest.mark.parametrize(("given", "days"), [("90d", 90), ("2w", 14), ("48h", 2), ("1440m", 1)])
def test_key_may_expire(run: Run, target: Target, given: str, days: int) -> None:
    run("key", "create", "acme", "--expires-in", given)

    (key,) = target.keys.list_keys("acme")
    assert key.expires_at == key.created_at + timedelta(days=days)


def test_key_of_an_unknown_tenant_is_not_created(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("key", "create", "zeta") == 1

    answer = capsys.readouterr()
    assert (answer.out, answer.err) == ("", "error: no tenant zeta in dev\n")
    assert target.keys.list_keys("zeta") == []


def test_revoked_key_is_refused(run: Run, target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    create_key("acme", environment="dev", tenants=target.tenants, keys=target.keys)
    (key,) = target.keys.list_keys("acme")

    assert run("key", "revoke", key.key_id, "--yes", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "revoked"
    assert target.keys.list_keys("acme")[0].status_at(NOW) == "revoked"


def test_revoking_an_unknown_key_fails_in_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("key", "revoke", "nobody") == 1
    assert capsys.readouterr().err == "error: no key nobody\n"


def test_tenant_is_created_listed_and_shown(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tenant", "create", "zeta", "--name", "Zeta", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == "Zeta"

    run("tenant", "list", "--json")
    assert [tenant["tenant_id"] for tenant in json.loads(capsys.readouterr().out)] == ["acme", "zeta"]

    assert run("tenant", "show", "acme") == 0
    assert "Acme Ltd" in capsys.readouterr().out


def test_existing_tenant_is_a_conflict_without_if_absent(
    run: Run, target: Target, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("tenant", "create", "acme", "--name", "Other") == 1
    assert capsys.readouterr().err == "error: tenant acme exists\n"

    assert run("tenant", "create", "acme", "--name", "Other", "--if-absent") == 0
    kept = target.tenants.find_tenant("acme")
    assert kept is not None
    assert kept.name == "Acme Ltd"


def test_invalid_tenant_id_is_refused_in_one_line(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tenant", "create", "Acme#1") == 1
    assert capsys.readouterr().err.startswith("error: 'Acme#1' cannot be a tenant id")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["key"],
        ["key", "create", "acme", "--scopes", "root"],
        ["key", "create", "acme", "--expires-in", "soon"],
        ["tenant", "list", "--stack", "a.json", "--environment", "dev"],
    ],
)
def test_misuse_shows_the_usage_and_exits_with_2(
    run: Run, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    with pytest.raises(SystemExit) as misused:
        run(*words)

    assert misused.value.code == 2
    assert "usage: python -m scripts" in capsys.readouterr().err


def test_help_shows_examples(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")

    assert "python -m scripts key create acme --scopes" in capsys.readouterr().out


def test_missing_local_stack_is_reported_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tenant", "list", "--stack", str(tmp_path / "stack.json")]) == 1
    assert "run `make up`, or name an AWS environment" in capsys.readouterr().err


def test_key_is_created_without_the_command_line(target: Target) -> None:
    text = create_key(
        "acme", environment="dev", tenants=target.tenants, keys=target.keys, scopes=tuple(ApiScope)
    )

    assert Credential.parse(text).environment == "dev"
    with pytest.raises(NotFoundError):
        create_key("zeta", environment="dev", tenants=target.tenants, keys=target.keys)
