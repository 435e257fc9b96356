"""`/v1/users/{user}:export`: all that is known of a user, to take along."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.api.export.schemas import ExportOut
from functions.api.parameters import ADMIN, RequestKey, User
from functions.api.router import ApiRouter
from membus.core.identity import Owner
from membus.http import get_caller
from membus.transfer.request import request_export

router = ApiRouter()


@router.post(
    "/v1/users/<user>:export",
    summary="Write all that is known of a user into one archive",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_export(user: User, key: RequestKey = None) -> Response[ExportOut]:
    asked, now = get_caller(router), router.container.clock()
    export = request_export(
        Owner(tenant=asked.tenant, user=user),
        request_key=key,
        requested_by=asked.key_id,
        now=now,
        exports=router.container.transfer.jobs,
        announcements=router.container.events.announcements,
    )
    out = ExportOut.from_export(export, archives=router.container.transfer.files, now=now)
    headers: dict[str, str | list[str]] = {"Location": f"/v1/jobs/{export.job_id}"}
    return Response(HTTPStatus.ACCEPTED, content_type="application/json", body=out, headers=headers)
