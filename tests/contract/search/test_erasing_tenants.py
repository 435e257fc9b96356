"""A whole tenant with something in every store goes, but for its bill and what says that it was erased."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from functions.erase.usecase import Eraser
from membus.adapters.erasing_tenants import TenantItems, TenantObjects, TenantRows
from membus.adapters.postgres_erasing import IndexedRows
from membus.adapters.postgres_memories import PostgresMemories
from membus.adapters.postgres_tenants import TenantTransactions
from membus.adapters.sqs_erasing import EndedMessages, of_tenant
from membus.domain.erasing_job import erasure_job
from membus.domain.erasure import Hold
from membus.domain.identity import Owner
from membus.errors import ConflictError
from membus.ports.erasures import Holdings
from tests.canaries import canary_of, plant
from tests.contract.search.test_erasing import kept
from tests.erasing import KEPT_DAYS, SETTLE, House, house
from tests.factories import ADA, NOON

GRACE, THEIRS = Owner(tenant="acme", user="grace"), Owner(tenant="zeta", user="ada")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setattr("membus.adapters.sqs_erasing.WAIT_SECONDS", 0)
    with house() as made:
        yield made


def everywhere(made: House, transactions: TenantTransactions) -> Sequence[Holdings]:
    """Return the stores as `wiring_erasing.tenant_holdings` lists them."""
    tenants = made.erasures._table
    return (
        TenantItems(made.talks, "conversations"),
        TenantItems(made.memory, "memory"),
        TenantItems(tenants, "tenant", keeps=lambda pk: pk.endswith(("#USAGE", "#ERASED", "#JOB"))),
        TenantObjects(made.versions),
        TenantRows(transactions),
        EndedMessages(made.sqs, {"extract-dlq": made.dead_letters}, of_tenant),
    )


def eraser(made: House, transactions: TenantTransactions) -> Eraser:
    return Eraser(
        jobs=made.erasures,
        stores=everywhere(made, transactions),
        clock=made.clock,
        seconds_left=lambda: 3600,
        settle=SETTLE,
        kept_days=KEPT_DAYS,
    )


def test_everything_of_a_tenant_goes_from_every_store_and_its_neighbour_keeps_all(
    made: House, transactions: TenantTransactions
) -> None:
    index = PostgresMemories(transactions, model="m")
    for owner in (ADA, GRACE, THEIRS):
        plant(made, owner)
        kept(index, owner, 4)
    tenants = made.erasures._table
    for sk, pk in (("META", "T#acme"), ("USAGE#1", "T#acme#USAGE"), ("META", "T#zeta"), ("META", "T#acmes")):
        tenants.put_item(Item={"pk": pk, "sk": sk})
    before = made.everything()
    rows = IndexedRows(transactions).count(THEIRS, cursor="", time_left=lambda: True).counts

    asked = erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
    job, work = made.erasures.begin(asked), eraser(made, transactions)
    while (wait := work.advance(made.erasures.job("acme", job.job_id))) is not None:
        made.tiers.now += wait

    done, after = made.erasures.job("acme", job.job_id), made.everything()
    assert done.receipt
    assert set(done.receipt.left.values()) == {0}
    assert all(
        done.removed[name] > 0 for name in ("memory", "conversations", "objects", "index_rows", "messages")
    )
    for owner in (ADA, GRACE):
        assert canary_of(owner) in before
        assert canary_of(owner) not in after
    assert "T#acme#" not in after
    assert after.count(canary_of(THEIRS)) == before.count(canary_of(THEIRS))
    assert IndexedRows(transactions).count(THEIRS, cursor="", time_left=lambda: True).counts == rows
    left = {(str(item["pk"]), str(item["sk"]).split("#")[0]) for item in tenants.scan()["Items"]}
    assert left == {
        ("T#acme#USAGE", "USAGE"),
        ("T#acme#ERASED", "USER"),
        ("T#acme#JOB", job.job_id),
        ("T#zeta", "META"),
        ("T#acmes", "META"),
    }


def test_whoever_writes_meanwhile_goes_in_the_second_round_and_is_refused_for_good(
    made: House, transactions: TenantTransactions
) -> None:
    job = made.erasures.begin(
        erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
    )
    work = eraser(made, transactions)
    wait = work.advance(job)
    plant(made, ADA)
    kept(PostgresMemories(transactions, model="m"), ADA, 4)
    while wait is not None:
        made.tiers.now += wait
        wait = work.advance(made.erasures.job("acme", job.job_id))

    assert canary_of(ADA) not in made.everything()
    line = made.erasures.of(ADA)
    assert line
    assert line.covers(NOON + timedelta(days=1))


def test_a_tenant_on_hold_is_kept(made: House) -> None:
    plant(made, ADA)
    made.erasures.hold(Hold(tenant="acme", user=None, reason="case 7", since=NOON))

    with pytest.raises(ConflictError) as refused:
        made.erasures.begin(
            erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
        )

    assert refused.value.code == "legal_hold"
    assert canary_of(ADA) in made.everything()
