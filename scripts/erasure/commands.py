"""`erase --tenant … --user …|--everything|--again`.

Remove a user, or a tenant, from everywhere, and prove it.
"""

import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from functions.erase.usecase import Eraser
from membus.container.erasure import ErasureParts
from membus.core.erasure import WHOLE_TENANT, ErasableStore, ErasureStep, erasure_subject
from membus.core.errors import InvalidError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.model import ErasureJob, new_erasure_job
from membus.erasure.ports import ErasureJobs, ErasureLedger
from membus.erasure.request import request_erasure
from scripts.command import ExitCode, require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.ports import UserDirectory
from scripts.target import AddGroup, Target, open_container

OPERATOR = "operator"
LOOK_SECONDS = 5


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    erase = add_group(
        "erase",
        parents=[options],
        help="remove a user, or a tenant, from everywhere",
        asks=True,
        examples=[
            "erase --tenant acme --user ada --dry-run",
            "erase --tenant acme --user ada --yes --wait",
            "erase --tenant acme --everything --environment prod",
            "erase --tenant acme --again",
        ],
        description="A user is erased by the deployed function, as by POST /v1/users/{user}:erase; this tells it"
        " to and, with --wait, shows how far it is. A tenant is erased by this command itself: run it again to go on. "
        "--again is for after a restore: whoever the ledger says was erased and who is there again is erased again.",
    )
    erase.add_argument("--tenant", required=True)
    whom = erase.add_mutually_exclusive_group(required=True)
    whom.add_argument("--user")
    whom.add_argument("--everything", action="store_true", help="the whole tenant, its keys first")
    whom.add_argument("--again", action="store_true", help="everybody who was erased before a restore")
    erase.add_argument(
        "--live-table", metavar="TABLE", help="with --again: `memory` as it was in use until the restore"
    )
    erase.add_argument("--wait", action="store_true", help="until the receipt is there: some twenty minutes")
    erase.set_defaults(run=_erase)


def _erase(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    container = open_container(target.environment, "erase")
    tenant: str = arguments.tenant
    if arguments.everything:
        return _tenant(arguments, target, output, container)
    users = list(_find_reappeared(tenant, output, container)) if arguments.again else [str(arguments.user)]
    if arguments.dry_run:
        for user in users:
            output.print_rows(
                format_counts(Owner(tenant=tenant, user=user), container.erasure.list_stores()), nothing=""
            )
        return ExitCode.DONE
    require_confirmation(
        arguments, f"Erase {', '.join(users) or 'nobody'} of {tenant} from everywhere, for good?"
    )
    if arguments.again:
        _erase_again(tenant, arguments.live_table, output, container)
    api = open_container(target.environment, "api")
    jobs = [_begin(Owner(tenant=tenant, user=user), api) for user in users]
    if arguments.wait:
        jobs = [_wait_for_job(job, api.erasure.jobs) for job in jobs]
    output.print_rows([row(job) for job in jobs], nothing="Nobody is there who was erased before.")
    return ExitCode.DONE


def _erase_again(tenant: str, live_table: str | None, output: Output, container: OperatorContainer) -> None:
    """Mend of what was restored the traces of erased users that lie among what is not theirs."""
    if live_table:
        output.print_remark(
            f"carried over: {dict(container.carry_over_erasures(tenant, live_table=live_table))}"
        )
    dropped = container.stale_summaries.delete_stale(tenant)
    output.print_remark(
        f"passages of summaries that no conversation has any more: {dropped} removed from the index"
    )


def _find_reappeared(
    tenant: str, output: Output, container: OperatorContainer
) -> Mapping[str, Sequence[str]]:
    back = list_erased_owners(tenant, container.users_by_store, container.erasure.ledger)
    for user, stores in back.items():
        output.print_remark(f"{user} is back in {', '.join(stores)}")
    return back


def list_erased_owners(
    tenant: str, stores: Mapping[str, UserDirectory], ledger: ErasureLedger
) -> Mapping[str, Sequence[str]]:
    """Return who is in which store although the ledger says that they were erased.

    A restore has brought them back.
    """
    erased, back = ledger.list_erased_subjects(tenant), defaultdict[str, list[str]](list)
    for name, users in stores.items():
        for user in users.list_users(tenant):
            if erasure_subject(tenant, user) in erased:
                back[user].append(name)
    return dict(sorted(back.items()))


def format_counts(owner: Owner, stores: Sequence[ErasableStore]) -> list[Row]:
    """Return what an erasure would remove, store by store."""
    rows: list[Row] = []
    for store in stores:
        tally = store.count(owner, ErasureStep())
        rows += [
            {"store": store.name, "what": what, "count": str(number)} for what, number in tally.counts.items()
        ]
    return rows


def row(job: ErasureJob) -> Row:
    receipt = job.receipt
    return {
        "job_id": job.job_id,
        "status": job.status,
        "subject": job.subject,
        "removed": [f"{name}={number}" for name, number in job.removed.items()],
        "left": [f"{name}={number}" for name, number in receipt.left.items()] if receipt else None,
        "copies_until": receipt.final.isoformat() if receipt else None,
    }


def _begin(owner: Owner, container: OperatorContainer) -> ErasureJob:
    return request_erasure(
        owner,
        request_key=None,
        requested_by=OPERATOR,
        now=datetime.now(UTC),
        jobs=container.erasure.jobs,
        announcements=container.events.announcements,
    )


def _wait_for_job(job: ErasureJob, jobs: ErasureJobs) -> ErasureJob:
    while job.receipt is None and job.status != "failed":
        time.sleep(LOOK_SECONDS)
        job = jobs.get_job(job.tenant, job.job_id)
    return job


def _tenant(arguments: Namespace, target: Target, output: Output, container: OperatorContainer) -> ExitCode:
    """Erase a tenant: its keys first, so that nobody writes; what is left of it says that it was erased."""
    owner, stores = Owner(tenant=arguments.tenant, user=WHOLE_TENANT), container.list_tenant_stores()
    known = target.tenants.find_tenant(arguments.tenant)
    if (
        known is None
        and erasure_subject(owner.tenant, None)
        not in container.erasure.ledger.get_hidden(owner.tenant).subjects
    ):
        raise NotFoundError(f"no tenant {arguments.tenant} in {target.environment}")
    if arguments.dry_run:
        output.print_rows(format_counts(owner, stores), nothing="")
        return ExitCode.DONE
    require_confirmation(
        arguments, f"Erase the tenant {arguments.tenant} with all its users, keys and archives, for good?"
    )
    asked = new_erasure_job(
        owner.tenant, None, request_key=None, requested_by=OPERATOR, now=datetime.now(UTC)
    )
    job = container.erasure.jobs.start_job(asked)
    for key in target.keys.list_keys(arguments.tenant):
        target.keys.revoke_key(key.key_id, at=datetime.now(UTC))
    job = _run_job(job, stores, container.erasure, wait=arguments.wait)
    output.print_rows([row(job)], nothing="")
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
        seconds_left=lambda: 3600,
        settle=parts.settle_time,
        kept_days=parts.kept_days,
    )
    pause = eraser.advance_job(parts.jobs.get_job(job.tenant, job.job_id))
    while wait and pause is not None:
        time.sleep(pause.total_seconds())
        pause = eraser.advance_job(parts.jobs.get_job(job.tenant, job.job_id))
    return parts.jobs.get_job(job.tenant, job.job_id)
