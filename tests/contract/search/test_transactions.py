"""Transactions as a tenant: what is retried, what is reported, and who is refused."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from membus.aws.postgres import (
    TRANSACTION_RETRY,
    PostgresConnection,
    TenantTransactions,
    TransactionWork,
    connect_postgres,
)
from membus.core.errors import InvalidError, IsolationError, UnavailableError
from membus.search.postgres.store import PostgresMemories
from tests.integration.databases import Database
from tests.support.memories import a_memory, fill, look

WHO = "SELECT current_setting('membus.tenant_id', true)"


def failing(*faults: type[psycopg.Error]) -> tuple[TransactionWork[str], list[str]]:
    """Return work that fails once with each fault and then says which tenant it ran as, and the list of its runs."""
    left, runs = list(faults), []

    def work(connection: PostgresConnection) -> Callable[[], str]:
        (tenant,) = connection.execute(WHO).fetchone() or ("",)
        runs.append(tenant)
        if left:
            raise left.pop(0)("as told")
        return lambda: str(tenant)

    return work, runs


@pytest.mark.parametrize("fault", [errors.SerializationFailure, errors.DeadlockDetected])
def test_serialization_failure_runs_the_transaction_again(
    transactions: TenantTransactions, fault: type[psycopg.Error]
) -> None:
    work, runs = failing(fault, fault)

    assert transactions.run_transaction("acme", work) == "acme"
    assert runs == ["acme"] * 3


def test_repeated_serialization_failures_are_unavailable(transactions: TenantTransactions) -> None:
    work, runs = failing(*[errors.SerializationFailure] * 9)

    with pytest.raises(UnavailableError):
        transactions.run_transaction("acme", work)
    assert len(runs) == TRANSACTION_RETRY.tries


@pytest.mark.parametrize(
    ("fault", "code"), [(errors.TooManyConnections, "unavailable"), (errors.QueryCanceled, "timeout")]
)
def test_busy_database_is_unavailable_and_not_tried_again(
    transactions: TenantTransactions, fault: type[psycopg.Error], code: str
) -> None:
    work, runs = failing(fault)

    with pytest.raises(UnavailableError) as busy:
        transactions.run_transaction("acme", work)
    assert (busy.value.code, len(runs)) == (code, 1)


def test_slow_statement_is_reported_as_a_timeout(transactions: TenantTransactions) -> None:
    def slow(connection: PostgresConnection) -> Callable[[], object]:
        connection.execute("SET LOCAL statement_timeout = 50")
        return connection.execute("SELECT pg_sleep(5)").fetchall

    with pytest.raises(UnavailableError) as late:
        transactions.run_transaction("acme", slow)
    assert late.value.code == "timeout"
    assert transactions.run_transaction("acme", failing()[0]) == "acme"


def test_dead_connection_is_opened_again(database: Database, transactions: TenantTransactions) -> None:
    def backend(connection: PostgresConnection) -> Callable[[], int]:
        return lambda: connection.info.backend_pid

    first = transactions.run_transaction("acme", backend)
    with database.open(database.superuser) as operator:
        operator.execute("SELECT pg_terminate_backend(%s)", [first])

    assert transactions.run_transaction("acme", backend) != first


def test_a_database_that_is_down_is_unavailable_at_once(database: Database) -> None:
    nowhere = database.address.__class__(host=database.address.host, port=1, database="x", sslmode="disable")
    transactions = TenantTransactions(
        lambda: connect_postgres(nowhere, database.functions, patience_seconds=0)
    )

    with pytest.raises(UnavailableError, match="no connection"):
        transactions.run_transaction("acme", failing()[0])


def test_tenant_setting_ends_with_its_transaction(transactions: TenantTransactions) -> None:
    opened: list[PostgresConnection] = []

    def keep(connection: PostgresConnection) -> Callable[[], list[PostgresConnection]]:
        opened.append(connection)
        return opened.copy

    transactions.run_transaction("acme", keep)

    assert opened[0].execute(WHO).fetchone() == ("",)


def test_login_of_the_functions_is_accepted(database: Database) -> None:
    with serving(database, database.functions.username) as transactions:
        fill(PostgresMemories(transactions, model="words"), a_memory(tenant="served"))
        assert look(PostgresMemories(transactions, model="words"), "tea", tenant="served") == ["m1"]


def test_login_that_bypasses_row_security_is_refused_before_any_read(database: Database) -> None:
    work, runs = failing()
    with (
        serving(database, database.superuser.username) as transactions,
        pytest.raises(IsolationError) as refused,
    ):
        transactions.run_transaction("acme", work)

    assert (refused.value.code, runs) == ("unsafe", [])


@contextmanager
def serving(database: Database, username: str) -> Iterator[TenantTransactions]:
    login = {each.username: each for each in (database.functions, database.superuser)}[username]
    with ExitStack() as opened:
        yield TenantTransactions(lambda: opened.enter_context(database.open(login)))


def test_value_that_no_column_accepts_is_refused_once(
    transactions: TenantTransactions,
) -> None:
    def impossible(connection: PostgresConnection) -> Callable[[], object]:
        return connection.execute("SELECT %s::text", ["a\0b"]).fetchall

    with pytest.raises(InvalidError) as refused:
        transactions.run_transaction("acme", impossible)
    assert refused.value.code == "unstorable"


def test_unreachable_database_is_not_called_again_for_a_while() -> None:
    asked: list[bool] = []

    def connect_in_vain() -> PostgresConnection:
        asked.append(True)
        raise UnavailableError("no connection")

    transactions = TenantTransactions(connect_in_vain)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            transactions.run_transaction("acme", failing()[0])

    assert asked == [True]


def test_search_takes_two_round_trips_to_postgres(database: Database, tmp_path: Path) -> None:
    with database.open(database.functions) as connection:
        index = PostgresMemories(TenantTransactions(lambda: connection), model="words")
        fill(index, *(a_memory(f"m{number}", f"tea {number}", tenant="counted") for number in range(5)))
        trace = tmp_path / "trace"
        with trace.open("w") as file:
            connection.pgconn.trace(file.fileno())
            assert len(look(index, "tea", tenant="counted")) == 5
            connection.pgconn.untrace()

    sides = [line.split("\t")[1] for line in trace.read_text().splitlines() if line.count("\t") > 2]
    assert [side for side, _ in itertools.groupby(sides)] == ["F", "B", "F", "B"]
