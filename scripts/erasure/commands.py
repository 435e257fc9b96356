"""`erase`: remove a user, or a tenant, from every store, and prove it by a receipt."""

import time
from argparse import Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from functions.erase.usecase import Eraser
from membus.container.erasure import ErasureParts
from membus.core.erasure import WHOLE_TENANT, ErasableStore, ErasureStep, erasure_subject
from membus.core.errors import InvalidError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, new_erasure_job
from membus.erasure.ports import ErasureLedger
from membus.erasure.request import request_erasure
from scripts.command import TENANT, ExitCode, command, one_of, option, require_confirmation
from scripts.container import OperatorContainer
from scripts.erasure.ports import UserDirectory
from scripts.output import Output, Row
from scripts.target import Target, open_container

OPERATOR = "operator"
POLL_SECONDS = 5
RUN_SECONDS = 3600
"""The time that the eraser may count on; a command has no deadline."""


@command(
    "erase",
    "remove a user, or a tenant, from every store",
    TENANT,
    one_of(
        option("--user"),
        option("--everything", action="store_true", help="the whole tenant, its keys first"),
        option("--again", action="store_true", help="all users who were erased before a restore"),
        required=True,
    ),
    option("--live-table", metavar="TABLE", help="with --again: the table `memory` in use until the restore"),
    option("--wait", action="store_true", help="until there is a receipt, up to twenty minutes"),
    asks=True,
    examples=[
        "erase --tenant acme --user ada --dry-run",
        "erase --tenant acme --user ada --yes --wait",
        "erase --tenant acme --everything --environment prod",
        "erase --tenant acme --again",
    ],
    description="The deployed function erases a user, as for POST /v1/users/{user}:erase; the command "
    "starts it and, with --wait, waits for the receipt. The command itself erases a tenant: run it again "
    "to continue. Use --again after a restore: users whom the erasure ledger names and who are there again "
    "are erased again.",
)
def erase(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    container, tenant = open_container(target.environment, "erase"), str(arguments.tenant)
    if arguments.everything:
        return _erase_tenant(arguments, target, output, container)
    users = [arguments.user] if arguments.user else _find_reappeared(tenant, output, container)
    owners = [Owner(tenant=tenant, user=user) for user in users]
    if arguments.dry_run:
        for owner in owners:
            output.print_rows(format_counts(owner, container.erasure.list_stores()))
        return ExitCode.DONE
    require_confirmation(arguments, f"Erase {', '.join(users) or 'nobody'} of {tenant} for good?")
    if arguments.again:
        _clean_restored(tenant, arguments.live_table, output, container)
    jobs = _start_jobs(owners, open_container(target.environment, "api"), wait=arguments.wait)
    output.print_rows([_row(job) for job in jobs], nothing="No user who was erased before is there again.")
    return ExitCode.DONE


def _find_reappeared(tenant: str, output: Output, container: OperatorContainer) -> list[str]:
    found = list_erased_owners(tenant, container.users_by_store, container.erasure.ledger)
    for user, stores in found.items():
        output.print_remark(f"{user} is there again in {', '.join(stores)}")
    return list(found)


def list_erased_owners(
    tenant: str, stores: Mapping[str, UserDirectory], ledger: ErasureLedger
) -> Mapping[str, Sequence[str]]:
    """Return by user the stores that have data of a user whom the ledger says was erased."""
    erased, found = ledger.list_erased_subjects(tenant), defaultdict[str, list[str]](list)
    for name, users in stores.items():
        for user in users.list_users(tenant):
            if erasure_subject(tenant, user) in erased:
                found[user].append(name)
    return dict(sorted(found.items()))


def _clean_restored(
    tenant: str, live_table: str | None, output: Output, container: OperatorContainer
) -> None:
    """Remove from restored stores what quotes or names erased users and is not part of their data."""
    if live_table:
        copied = dict(container.carry_over_erasures(tenant, live_table=live_table))
        output.print_remark(f"carried over: {copied}")
    removed = container.stale_summaries.delete_stale(tenant)
    output.print_remark(f"removed from the index: {removed} passages of summaries that no conversation has")


def _start_jobs(owners: Sequence[Owner], container: OperatorContainer, *, wait: bool) -> list[ErasureJob]:
    jobs = [
        request_erasure(
            owner,
            request_key=None,
            requested_by=OPERATOR,
            now=datetime.now(UTC),
            jobs=container.erasure.jobs,
            announcements=container.events.announcements,
        )
        for owner in owners
    ]
    while wait and any(job.receipt is None and job.status != "failed" for job in jobs):
        time.sleep(POLL_SECONDS)
        jobs = [container.erasure.jobs.get_job(job.tenant, job.job_id) for job in jobs]
    return jobs


def _erase_tenant(
    arguments: Namespace, target: Target, output: Output, container: OperatorContainer
) -> ExitCode:
    """Erase a tenant: its keys first, so that nothing is written; the record of its erasure stays."""
    tenant, parts, stores = str(arguments.tenant), container.erasure, container.list_tenant_stores()
    being_erased = erasure_subject(tenant, None) in parts.ledger.get_hidden(tenant).subjects
    if target.tenants.find_tenant(tenant) is None and not being_erased:
        raise NotFoundError(f"no tenant {tenant} in {target.environment}")
    if arguments.dry_run:
        output.print_rows(format_counts(Owner(tenant=tenant, user=WHOLE_TENANT), stores))
        return ExitCode.DONE
    question = f"Erase the tenant {tenant} with all its users, keys and archives, for good?"
    require_confirmation(arguments, question)
    now = datetime.now(UTC)
    job = new_erasure_job(tenant, None, request_key=None, requested_by=OPERATOR, now=now)
    job = parts.jobs.start_job(job)
    for key in target.keys.list_keys(tenant):
        target.keys.revoke_key(key.key_id, at=now)
    job = _run_job(job, stores, parts, wait=arguments.wait)
    output.print_rows([_row(job)])
    if job.status == "failed":
        raise InvalidError("something keeps writing to this tenant: find out what, and run this again")
    return ExitCode.DONE if job.receipt else ExitCode.PARTLY


def _run_job(
    job: ErasureJob, stores: Sequence[ErasableStore], parts: ErasureParts, *, wait: bool
) -> ErasureJob:
    eraser = Eraser(
        jobs=parts.jobs,
        stores=stores,
        clock=lambda: datetime.now(UTC),
        seconds_left=lambda: RUN_SECONDS,
        settle_time=parts.settle_time,
        kept_days=parts.kept_days,
    )
    pause = eraser.advance_job(parts.jobs.get_job(job.tenant, job.job_id))
    while wait and pause is not None:
        time.sleep(pause.total_seconds())
        pause = eraser.advance_job(parts.jobs.get_job(job.tenant, job.job_id))
    return parts.jobs.get_job(job.tenant, job.job_id)


def format_counts(owner: Owner, stores: Sequence[ErasableStore]) -> list[Row]:
    """Return what an erasure would remove, store by store."""
    counted = [(store, store.count(owner, ErasureStep())) for store in stores]
    return [
        {"store": store.name, "what": what, "count": str(number)}
        for store, count in counted
        for what, number in count.counts.items()
    ]


def _row(job: ErasureJob) -> Row:
    receipt = job.receipt
    return {
        "job_id": job.job_id,
        "status": job.status,
        "subject": job.subject,
        "removed": [f"{name}={number}" for name, number in job.removed.items()],
        "left": [f"{name}={number}" for name, number in receipt.left.items()] if receipt else None,
        "copies_until": receipt.final.isoformat() if receipt else None,
    }
