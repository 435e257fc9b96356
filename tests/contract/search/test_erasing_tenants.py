"""A tenant with data in every store is erased, but for its usage and its lines in the ledger."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from functions.erase.usecase import Eraser
from membus.aws.postgres import TenantTransactions
from membus.core.erasure import ErasableStore, ErasureStep, LegalHold
from membus.core.errors import ConflictError
from membus.core.identity import Owner
from membus.erasure.model import new_erasure_job
from membus.erasure.sqs import DeadLetterEraser, is_about_tenant
from membus.search.erasure import IndexEraser
from membus.search.postgres.store import PostgresMemories
from scripts.erasure.tenant_stores import TenantItemEraser, TenantObjectEraser, TenantRowEraser
from tests.contract.search.test_erasing import kept
from tests.factories import ADA, NOON
from tests.support.canaries import canary_of, plant
from tests.support.erasure import KEPT_DAYS, SETTLE, ErasureSetup, make_erasure_setup

GRACE, THEIRS = Owner(tenant="acme", user="grace"), Owner(tenant="zeta", user="ada")


@pytest.fixture
def made() -> Iterator[ErasureSetup]:
    with make_erasure_setup() as made:
        yield made


def everywhere(made: ErasureSetup, transactions: TenantTransactions) -> Sequence[ErasableStore]:
    """Return the stores as `OperatorContainer.list_tenant_stores` lists them."""
    tenants = made.tenants
    return (
        TenantItemEraser(made.talks, "conversations"),
        TenantItemEraser(made.memory, "memory"),
        TenantItemEraser(tenants, "tenant", keeps=lambda pk: pk.endswith(("#USAGE", "#ERASED", "#JOB"))),
        TenantObjectEraser(made.versions),
        TenantRowEraser(transactions),
        DeadLetterEraser(made.sqs, {"extract-dlq": made.dead_letters}, is_about_tenant, wait_seconds=0),
    )


def eraser(made: ErasureSetup, transactions: TenantTransactions) -> Eraser:
    return Eraser(
        jobs=made.erasures,
        stores=everywhere(made, transactions),
        clock=made.clock,
        seconds_left=lambda: 3600,
        settle_time=SETTLE,
        kept_days=KEPT_DAYS,
    )


def test_erasure_of_a_tenant_spares_its_neighbour(
    made: ErasureSetup, transactions: TenantTransactions
) -> None:
    index = PostgresMemories(transactions, model="m")
    for owner in (ADA, GRACE, THEIRS):
        plant(made, owner)
        kept(index, owner, 4)
    tenants = made.tenants
    for sk, pk in (("META", "T#acme"), ("USAGE#1", "T#acme#USAGE"), ("META", "T#zeta"), ("META", "T#acmes")):
        tenants.put_item(Item={"pk": pk, "sk": sk})
    before = made.everything()
    rows = IndexEraser(transactions).count(THEIRS, ErasureStep()).counts

    asked = new_erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
    job, work = made.erasures.start_job(asked), eraser(made, transactions)
    while (wait := work.advance_job(made.erasures.get_job("acme", job.job_id))) is not None:
        made.tiers.now += wait

    done, after = made.erasures.get_job("acme", job.job_id), made.everything()
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
    assert IndexEraser(transactions).count(THEIRS, ErasureStep()).counts == rows
    left = {(str(item["pk"]), str(item["sk"]).split("#")[0]) for item in tenants.scan()["Items"]}
    assert left == {
        ("T#acme#USAGE", "USAGE"),
        ("T#acme#ERASED", "USER"),
        ("T#acme#JOB", job.job_id),
        ("T#zeta", "META"),
        ("T#acmes", "META"),
    }


def test_data_written_during_a_tenants_erasure_goes_in_the_second_round(
    made: ErasureSetup, transactions: TenantTransactions
) -> None:
    job = made.erasures.start_job(
        new_erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
    )
    work = eraser(made, transactions)
    wait = work.advance_job(job)
    plant(made, ADA)
    kept(PostgresMemories(transactions, model="m"), ADA, 4)
    while wait is not None:
        made.tiers.now += wait
        wait = work.advance_job(made.erasures.get_job("acme", job.job_id))

    assert canary_of(ADA) not in made.everything()
    line = made.erasures.find_erasure(ADA)
    assert line
    assert line.covers_moment(NOON + timedelta(days=1))


def test_tenant_under_legal_hold_is_not_erased(made: ErasureSetup) -> None:
    plant(made, ADA)
    made.erasures.add_hold(LegalHold(tenant="acme", user=None, reason="case 7", since=NOON))

    with pytest.raises(ConflictError) as refused:
        made.erasures.start_job(
            new_erasure_job("acme", None, request_key=None, requested_by="operator", now=made.clock())
        )

    assert refused.value.code == "legal_hold"
    assert canary_of(ADA) in made.everything()
