"""`/v1/users/{user}/erase` and `/v1/jobs/{id}`: everything about a user goes, and a receipt proves it."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory.erasure import erase_user
from functions.memory.erasure_api import JobOut
from functions.memory.routes.parameters import ADMIN, RequestKey, User
from membus import wiring, wiring_erasing, wiring_search
from membus.domain.identity import Id, Owner
from membus.http import caller

router = APIGatewayHttpRouter()
JobId = Annotated[Id, Path()]


@router.post(
    "/v1/users/<user>/erase",
    summary="Erase everything about a user, for good",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_erasure(user: User, key: RequestKey = None) -> Response[JobOut]:
    asked = caller(router)
    job = erase_user(
        Owner(tenant=asked.tenant, user=user), request_key=key, requested_by=asked.key_id, now=wiring.now(),
        jobs=wiring_erasing.jobs(), announcements=wiring_search.announcements(),
    )  # fmt: skip
    headers: dict[str, str | list[str]] = {"Location": f"/v1/jobs/{job.job_id}"}
    return Response(HTTPStatus.ACCEPTED, content_type="application/json", body=JobOut.of(job), headers=headers)


@router.get("/v1/jobs/<job>", summary="How far a job has come, and its receipt", **ADMIN)
def get_job(job: JobId) -> JobOut:
    return JobOut.of(wiring_erasing.jobs().job(caller(router).tenant, job))
