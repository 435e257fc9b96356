"""Contract of the erasure ledger: lines, the jobs that work on them, and holds that forbid both."""

from datetime import timedelta
from typing import Protocol

import pytest

from membus.core.erasure import WHOLE_TENANT, Erasure, LegalHold, SubjectsBeingErased, erasure_subject
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.dynamodb import DynamoErasures
from membus.erasure.model import ErasureJob, ErasureReceipt, new_erasure_job
from membus.erasure.ports import ErasureJobs, ErasureLedger
from tests.factories import NOON
from tests.fakes.erasures import InMemoryErasures
from tests.support.backends import OnEveryBackend

DONE = ErasureReceipt(proven_at=NOON, left={"facts": 0}, rotates={"queues": NOON.date()}, final=NOON.date())


class Ledger(ErasureLedger, ErasureJobs, Protocol):
    """The ledger with its jobs."""


@pytest.fixture
def ledger(on_every_backend: OnEveryBackend) -> Ledger:
    return on_every_backend(InMemoryErasures, lambda aws: DynamoErasures(aws.get_table("tenants")))


def asked(
    owner: Owner, *, key: str | None = None, after: timedelta = timedelta(), everybody: bool = False
) -> ErasureJob:
    user = None if everybody else owner.user
    return new_erasure_job(owner.tenant, user, request_key=key, requested_by="k1", now=NOON + after)


def line_of(ledger: Ledger, owner: Owner) -> Erasure:
    line = ledger.find_erasure(owner)
    assert line
    return line


def test_ledger_is_empty_before_the_first_erasure(ledger: Ledger, owner: Owner) -> None:
    assert ledger.find_erasure(owner) is None
    assert ledger.get_hidden(owner.tenant) == SubjectsBeingErased(tenant=owner.tenant)
    with pytest.raises(NotFoundError):
        ledger.get_job(owner.tenant, "job_1")


def test_job_starts_with_a_ledger_entry_and_ends_without_the_user_id(ledger: Ledger, owner: Owner) -> None:
    job = ledger.start_job(asked(owner))

    line = line_of(ledger, owner)
    assert (line.before, line.running) == (job.before, True)
    assert ledger.get_hidden(owner.tenant).users == {owner.user}
    assert ledger.get_hidden(owner.tenant).subjects == {erasure_subject(owner.tenant, owner.user)}
    job = ledger.save_progress(job.model_copy(update={"store": 3}))
    done = ledger.finish_job(job.model_copy(update={"status": "done", "receipt": DONE}))

    assert ledger.get_job(owner.tenant, job.job_id) == done
    assert (done.user, done.receipt) == (None, DONE)
    assert not line_of(ledger, owner).running
    assert ledger.get_hidden(owner.tenant) == SubjectsBeingErased(tenant=owner.tenant)


def test_erased_subject_stays_in_the_ledger(ledger: Ledger, owner: Owner) -> None:
    job = ledger.start_job(asked(owner))
    ledger.start_job(asked(Owner(tenant=f"{owner.tenant}x", user="user2")))
    ledger.start_job(asked(Owner(tenant=owner.tenant, user="user3")))
    ledger.finish_job(job.model_copy(update={"receipt": DONE}))

    assert ledger.list_erased_subjects(owner.tenant) == {
        erasure_subject(owner.tenant, user) for user in (owner.user, "user3")
    }


def test_user_has_one_erasure_job_at_a_time(ledger: Ledger, owner: Owner) -> None:
    first = ledger.start_job(asked(owner, key="k"))

    assert ledger.start_job(asked(owner, key="k")) == first
    assert ledger.start_job(asked(owner, after=timedelta(hours=1))).job_id == first.job_id
    ledger.finish_job(first.model_copy(update={"receipt": DONE}))
    assert ledger.start_job(asked(owner, key="k")).receipt == DONE
    later = ledger.start_job(asked(owner, after=timedelta(days=1)))
    assert later.job_id != first.job_id
    assert line_of(ledger, owner).before == later.before


def test_second_worker_of_a_job_gets_a_conflict(ledger: Ledger, owner: Owner) -> None:
    job = ledger.start_job(asked(owner))
    ledger.save_progress(job)

    for act in (ledger.save_progress, ledger.finish_job):
        with pytest.raises(ConflictError):
            act(job.model_copy(update={"receipt": DONE}))
    assert line_of(ledger, owner).running


@pytest.mark.parametrize("user", ["user1", None])
def test_legal_hold_refuses_an_erasure_until_it_is_lifted(
    ledger: Ledger, owner: Owner, user: str | None
) -> None:
    hold = LegalHold(tenant=owner.tenant, user=user, reason="case 7", since=NOON)
    ledger.add_hold(hold)

    with pytest.raises(ConflictError) as refused:
        ledger.start_job(asked(owner))
    assert refused.value.code == "legal_hold"
    assert ledger.find_erasure(owner) is None
    assert ledger.list_holds(owner.tenant) == [hold]
    ledger.remove_hold(owner.tenant, user)
    ledger.start_job(asked(owner))


def test_subject_being_erased_cannot_be_held(ledger: Ledger, owner: Owner) -> None:
    ledger.start_job(asked(owner))

    with pytest.raises(ConflictError) as refused:
        ledger.add_hold(LegalHold(tenant=owner.tenant, user=owner.user, reason="case 7", since=NOON))
    assert refused.value.code == "erasing"


def test_erasing_a_tenant_covers_its_users_alone(ledger: Ledger, owner: Owner) -> None:
    job = ledger.start_job(asked(owner, everybody=True))

    for user in ("user1", "user2"):
        assert line_of(ledger, Owner(tenant=owner.tenant, user=user)).before == job.before
    assert ledger.get_hidden(owner.tenant) == SubjectsBeingErased(
        tenant=owner.tenant, subjects={WHOLE_TENANT}
    )
    assert ledger.find_erasure(Owner(tenant=f"{owner.tenant}x", user="user1")) is None


def test_the_same_user_name_in_another_tenant_is_somebody_else(ledger: Ledger, owner: Owner) -> None:
    job = ledger.start_job(asked(owner))

    assert ledger.find_erasure(Owner(tenant=f"{owner.tenant}x", user=owner.user)) is None
    with pytest.raises(NotFoundError):
        ledger.get_job(f"{owner.tenant}x", job.job_id)
