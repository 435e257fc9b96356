"""`/v1/users/{user}:erase`, `/v1/users/{user}:export` and `/v1/jobs/{job}`: work that outlasts a request."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.api.episodes.schemas import RESTORE_JOB_PREFIX, RestoreJobOut
from functions.api.episodes.usecase import read_restore_job
from functions.api.jobs.schemas import ErasureJobOut, ExportJobOut
from functions.api.parameters import ADMIN, PathId, RequestKey
from functions.api.router import ApiRouter
from membus.core.errors import NotFoundError
from membus.erasure.request import request_erasure
from membus.http import get_caller, json_response
from membus.transfer.model import JOB_PREFIX as EXPORT_JOB_PREFIX
from membus.transfer.request import request_export

router = ApiRouter()


@router.post(
    "/v1/users/<user>:erase",
    summary="Erase everything about a user, for good",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_erasure(user: PathId, key: RequestKey = None) -> Response[ErasureJobOut]:
    job = request_erasure(
        router.get_owner(user),
        request_key=key,
        requested_by=get_caller(router).key_id,
        now=router.container.clock(),
        jobs=router.container.erasure.jobs,
        announcements=router.container.events.announcements,
    )
    return json_response(
        ErasureJobOut.from_job(job), status=HTTPStatus.ACCEPTED, headers=_location(job.job_id)
    )


@router.post(
    "/v1/users/<user>:export",
    summary="Write all that is known of a user into one archive",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_export(user: PathId, key: RequestKey = None) -> Response[ExportJobOut]:
    transfer, now = router.container.transfer, router.container.clock()
    export = request_export(
        router.get_owner(user),
        request_key=key,
        requested_by=get_caller(router).key_id,
        now=now,
        exports=transfer.jobs,
        announcements=router.container.events.announcements,
    )
    out = ExportJobOut.from_export(export, files=transfer.files, now=now)
    return json_response(out, status=HTTPStatus.ACCEPTED, headers=_location(export.job_id))


@router.get(
    "/v1/jobs/<job>", summary="How far a job has come; an erasure's receipt, an export's archive", **ADMIN
)
def get_job(job: PathId) -> ErasureJobOut | ExportJobOut | RestoreJobOut:
    container = router.container
    if job.startswith(RESTORE_JOB_PREFIX):
        episodes = container.episodes
        return read_restore_job(router.tenant, job, catalog=episodes.catalog, objects=episodes.objects)
    if job.startswith(EXPORT_JOB_PREFIX):
        export = container.transfer.jobs.get_export(router.tenant, job)
        if export.subject in router.hidden.subjects:
            raise NotFoundError("no such job")
        return ExportJobOut.from_export(export, files=container.transfer.files, now=container.clock())
    return ErasureJobOut.from_job(container.erasure.jobs.get_job(router.tenant, job))


def _location(job_id: str) -> dict[str, str]:
    return {"Location": f"/v1/jobs/{job_id}"}
