"""The port ArchiveQueries: statements over the archive, stopped by validator and sandbox, each by itself."""

import json
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from membus.core.errors import CorruptArchiveError, InvalidError, MembusError, UnavailableError
from membus.core.identity import Owner
from membus.episodes.archive import sql_validator
from membus.episodes.archive.model import QUERY_COLUMNS, ArchiveQuery, QueryResult, pack_rows
from membus.episodes.archive.s3 import S3ArchiveObjects
from membus.episodes.archive.sql_sandbox import DuckDbArchiveQueries, QueryLimits, run_sandboxed
from tests.factories import ADA, NOON, a_cold_row
from tests.fakes.episode_archive import InMemoryArchiveCatalog
from tests.strict import strict_aws
from tests.support.tables import make_bucket

CORPUS = Path(__file__).parents[1] / "corpus"
BUCKET = "membus-test-archive"
START = NOON.replace(month=1)
SECRET = "the-words-nobody-may-read"
QUICK = QueryLimits(wall_seconds=5, cpu_seconds=2)
HOURS = 300


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text("utf-8").splitlines()]


ATTACKS, QUESTIONS = lines("sql_attacks.jsonl"), lines("sql_questions.jsonl")
REJECTED = [each for each in ATTACKS if each["held_by"] == "gate"]
REACHING = [
    each for each in REJECTED if each["sql"][:4].upper() in {"SELE", "WITH", "FROM"} or "{" in each["sql"]
]
"""Attacks that are one SELECT, as the sandbox requires, and reach for a file, a setting, time or memory."""
ACCEPTED = [each for each in ATTACKS if each["held_by"] != "gate"]


def named(attack: dict[str, Any]) -> str:
    return f"{attack['what']}: {attack['sql'][:40]}"


def rows_of(owner: Owner, agent: str, *, many: int = HOURS) -> list[Any]:
    return [
        a_cold_row(
            f"{owner.tenant}-{owner.user}-{number}" if owner != ADA else f"e{number}",
            owner=owner,
            agent_id=agent,
            session_id=f"s{number % 3}",
            type="page.viewed" if number % 3 == 0 else "message.sent",
            occurred_at=START + timedelta(hours=number),
            payload={
                "text": f"I like Lisbon {number}" if owner == ADA else SECRET,
                "order": {"total": number + 0.5},
            },
        )
        for number in range(many)
    ]


class Archive:
    """Ada's and Bob's events at two agents of acme, and Zoe's at another tenant."""

    def __init__(self) -> None:
        self.s3: Any = boto3.client("s3", region_name="us-east-1")
        self.catalog, self.objects = InMemoryArchiveCatalog(), S3ArchiveObjects(lambda: self.s3, BUCKET)
        mine, bobs, zoes = (
            rows_of(ADA, "guide"),
            Owner(tenant="acme", user="bob"),
            Owner(tenant="zeta", user="zoe"),
        )
        self._keep("acme", "guide", [*mine[:200], *rows_of(bobs, "guide", many=50)])
        self._keep("acme", "shop", mine[200:])
        self.zoes = self._keep("zeta", "guide", rows_of(zoes, "guide", many=5))
        self.queries = DuckDbArchiveQueries(self.catalog, lambda: self.objects, QUICK)

    def ask(
        self,
        sql: str,
        *,
        tenant: str = "acme",
        user: str | None = "ada",
        limits: QueryLimits = QUICK,
        **days: date,
    ) -> QueryResult:
        queries = DuckDbArchiveQueries(self.catalog, lambda: self.objects, limits)
        return queries.run_query(ArchiveQuery(tenant=tenant, user=user, sql=sql, now=NOON, **days))

    def _keep(self, tenant: str, agent: str, rows: list[Any]) -> str:
        kept = self.objects.put_pack(pack_rows(tenant, agent, START.date(), rows, hot_until=NOON))
        self.catalog.add_object(kept)
        return kept.object_key


@pytest.fixture(scope="module")
def archive() -> Iterator[Archive]:
    with strict_aws():
        make_bucket()
        yield Archive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a secret and another tenant's Parquet, next to the folder of the sandbox."""
    (tmp_path / "secret.txt").write_text(SECRET)
    events = ", ".join(f"'{SECRET}'" for _ in range(4))
    duckdb.connect().execute(
        f"COPY (SELECT {events}, 'zoe' AS user_id, now() AS occurred_at, '{SECRET}' AS payload)"
        f" TO '{tmp_path / 'other.parquet'}' (FORMAT parquet)"
    )
    (tmp_path / "sandbox").mkdir()
    return tmp_path


def aimed(sql: str, folder: Path) -> str:
    """Return the attack with its targets filled in."""
    paths = {"{secret}": folder / "secret.txt", "{other}": folder / "other.parquet", "{folder}": folder}
    for name, path in paths.items():
        sql = sql.replace(name, str(path))
    return sql


def outcome(ask: Callable[[], QueryResult]) -> QueryResult | MembusError:
    try:
        return ask()
    except MembusError as error:
        return error


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each["sql"][:60])
def test_valid_query_is_answered(archive: Archive, question: dict[str, Any]) -> None:
    table = archive.ask(question["sql"])

    cells = [*table.columns, *(cell for row in table.rows for cell in row)]
    assert any(
        cell is None if question["tells"] is None else cell and question["tells"] in cell for cell in cells
    )


@pytest.mark.parametrize("attack", REJECTED, ids=named)
def test_validator_rejects_attack(attack: dict[str, Any], folder: Path) -> None:
    with pytest.raises(InvalidError) as refused:
        sql_validator.validate_sql(aimed(attack["sql"], folder), NOON)

    assert refused.value.code == "sql_rejected"
    assert SECRET not in refused.value.detail


@pytest.mark.parametrize("attack", ACCEPTED, ids=named)
def test_sandbox_stops_what_the_validator_accepts(archive: Archive, attack: dict[str, Any]) -> None:
    told = outcome(lambda: archive.ask(attack["sql"]))

    if attack["held_by"] == "limits":
        assert (type(told), told.code) == (UnavailableError, "sql_stopped")  # type: ignore[union-attr]
    elif isinstance(told, MembusError):
        assert (told.code, SECRET in told.detail) == ("sql_failed", False)
    else:
        assert all(
            SECRET not in (cell or "") and cell not in {"bob", "zoe"} for row in told.rows for cell in row
        )


@pytest.mark.parametrize("attack", REACHING, ids=named)
def test_sandbox_alone_leaks_nothing_and_leaves_no_files(attack: dict[str, Any], folder: Path) -> None:
    before = sorted(path.name for path in folder.rglob("*"))

    told = outcome(lambda: run_sandboxed(aimed(attack["sql"], folder), None, folder / "sandbox", QUICK))

    if isinstance(told, MembusError):
        assert told.code in {"sql_failed", "sql_stopped"}
        assert SECRET not in told.detail
    else:
        assert SECRET not in told.model_dump_json()
        assert len(told.model_dump_json()) < QUICK.output_bytes
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_corpus_has_sixty_attacks_and_twenty_queries_at_least() -> None:
    assert len({each["sql"] for each in ATTACKS}) >= 60
    assert len({each["sql"] for each in QUESTIONS}) >= 20


@pytest.mark.parametrize(
    ("user", "users"), [("ada", ["ada"]), ("bob", ["bob"]), ("eve", []), (None, ["ada", "bob"])]
)
def test_query_of_a_user_sees_their_events_and_of_a_tenant_all_of_its_own(
    archive: Archive, user: str | None, users: list[str]
) -> None:
    table = archive.ask("SELECT DISTINCT user_id FROM episodes ORDER BY 1", user=user)

    assert [cell for (cell,) in table.rows] == users


def test_same_user_id_in_another_tenant_is_another_user(archive: Archive) -> None:
    count = "SELECT count(*) FROM episodes"

    assert archive.ask(count, tenant="zeta", user="zoe").rows == (("5",),)
    assert archive.ask(count, tenant="zeta", user="ada").rows == (("0",),)
    assert archive.ask(count, tenant="nobody", user="ada").rows == (("0",),)


def test_table_has_the_columns_that_its_description_names(archive: Archive) -> None:
    table = archive.ask("SELECT * FROM episodes ORDER BY occurred_at, event_id LIMIT 1")

    assert table.columns == tuple(QUERY_COLUMNS)
    first = '{"text":"I like Lisbon 0","order":{"total":0.5}}'
    assert table.rows == (("e0", "ada", "guide", "s0", "page.viewed", "2026-01-01 12:00:00", first),)


def test_since_and_until_limit_the_rows_that_are_read(archive: Archive) -> None:
    day = date(2026, 1, 2)

    table = archive.ask(
        "SELECT count(*), min(occurred_at), max(occurred_at) FROM episodes", since=day, until=day
    )

    assert table.rows == (("24", "2026-01-02 00:00:00", "2026-01-02 23:00:00"),)


def test_query_over_too_many_objects_asks_for_fewer_days(archive: Archive) -> None:
    limits = replace(QUICK, objects=1)

    with pytest.raises(InvalidError, match="fewer days") as refused:
        archive.ask("SELECT 1 FROM episodes", limits=limits)

    assert refused.value.code == "too_much"
    few = archive.ask("SELECT count(*) FROM episodes", limits=limits, until=date(2026, 1, 3))
    assert few.rows == (("60",),)


def test_result_says_that_rows_and_cells_were_cut(archive: Archive) -> None:
    rows = archive.ask("SELECT event_id FROM episodes ORDER BY occurred_at")
    cell = archive.ask("SELECT string_agg(payload, ' ') FROM episodes")

    assert (len(rows.rows), rows.complete) == (QUICK.rows, False)
    assert len(cell.rows[0][0] or "") == QUICK.cell + 1


def test_rows_of_users_being_erased_are_left_out(archive: Archive) -> None:
    def users(user: str | None, *without: str) -> QueryResult:
        sql = "SELECT DISTINCT user_id FROM episodes ORDER BY 1"
        return archive.queries.run_query(
            ArchiveQuery(tenant="acme", user=user, sql=sql, now=NOON, without=without)
        )

    assert users(None, "bob").rows == (("ada",),)
    assert users(None, "bob", "ada").rows == users("bob", "bob").rows == ()


def test_rejected_statement_opens_no_object(archive: Archive) -> None:
    def opened() -> S3ArchiveObjects:
        raise AssertionError("nothing is read for a statement that may not run")

    queries = DuckDbArchiveQueries(archive.catalog, opened)
    question = ArchiveQuery(tenant="acme", user="ada", sql="DROP TABLE episodes", now=NOON)
    with pytest.raises(InvalidError):
        queries.run_query(question)


def test_damaged_object_is_named_and_nothing_is_answered_in_its_stead(archive: Archive) -> None:
    archive.s3.put_object(Bucket=BUCKET, Key=archive.zoes, Body=b"nonsense")
    again = DuckDbArchiveQueries(archive.catalog, lambda: S3ArchiveObjects(lambda: archive.s3, BUCKET), QUICK)

    with pytest.raises(CorruptArchiveError):
        again.run_query(ArchiveQuery(tenant="zeta", user="zoe", sql="SELECT 1 FROM episodes", now=NOON))


def test_sandbox_has_no_credentials(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    seen = folder / "seen"
    package = folder / "membus" / "episodes" / "archive"
    package.mkdir(parents=True)
    for each in (package, *package.parents[:2]):
        (each / "__init__.py").touch()
    spy = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))"
    (package / "sql_worker.py").write_text(spy)
    monkeypatch.syspath_prepend(str(folder))

    with pytest.raises(UnavailableError):
        run_sandboxed("SELECT 1", None, folder / "sandbox", QUICK)

    assert "PYTHONPATH" in seen.read_text()
    assert SECRET not in seen.read_text()


def test_limits_of_the_parent_process_stay_as_they_were(archive: Archive) -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)

    archive.ask("SELECT 1 FROM episodes")

    assert resource.getrlimit(resource.RLIMIT_AS) == before
