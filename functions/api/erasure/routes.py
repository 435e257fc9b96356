"""`/v1/users/{user}:erase` and `/v1/jobs/{id}`: everything about a user goes, and a receipt proves it."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from functions.api.episodes.schemas import RESTORE_JOB_PREFIX as THAW_PREFIX
from functions.api.episodes.schemas import RestoreOut
from functions.api.episodes.usecase import read_restore_job
from functions.api.erasure.schemas import JobOut
from functions.api.export.schemas import ExportOut
from functions.api.middleware import load_hidden
from functions.api.parameters import ADMIN, RequestKey, User
from functions.api.router import ApiRouter
from membus.core.errors import NotFoundError
from membus.core.identity import Id, Owner
from membus.erasure.request import request_erasure
from membus.http import get_caller
from membus.transfer.model import JOB_PREFIX

router = ApiRouter()
JobId = Annotated[Id, Path()]


@router.post(
    "/v1/users/<user>:erase",
    summary="Erase everything about a user, for good",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_erasure(user: User, key: RequestKey = None) -> Response[JobOut]:
    asked = get_caller(router)
    job = request_erasure(
        Owner(tenant=asked.tenant, user=user),
        request_key=key,
        requested_by=asked.key_id,
        now=router.container.clock(),
        jobs=router.container.erasure.jobs,
        announcements=router.container.events.announcements,
    )
    headers: dict[str, str | list[str]] = {"Location": f"/v1/jobs/{job.job_id}"}
    return Response(
        HTTPStatus.ACCEPTED, content_type="application/json", body=JobOut.from_job(job), headers=headers
    )


@router.get(
    "/v1/jobs/<job>", summary="How far a job has come; an erasure's receipt, an export's archive", **ADMIN
)
def get_job(job: JobId) -> JobOut | ExportOut | RestoreOut:
    tenant = get_caller(router).tenant
    if job.startswith(THAW_PREFIX):
        return read_restore_job(
            tenant, job, catalog=router.container.episodes.catalog, objects=router.container.episodes.objects
        )
    if job.startswith(JOB_PREFIX):
        export = router.container.transfer.jobs.get_export(tenant, job)
        if export.subject in load_hidden(router).subjects:
            raise NotFoundError("no such job")
        return ExportOut.from_export(
            export, archives=router.container.transfer.files, now=router.container.clock()
        )
    return JobOut.from_job(router.container.erasure.jobs.get_job(tenant, job))
