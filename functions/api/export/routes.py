"""`/v1/users/{user}:export`: all that is known of a user, to take along."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.api.export.schemas import ExportOut
from functions.api.export.usecase import request_export
from functions.api.parameters import ADMIN, RequestKey, User
from membus import wiring, wiring_search, wiring_transfer
from membus.core.identity import Owner
from membus.http import get_caller

router = APIGatewayHttpRouter()


@router.post(
    "/v1/users/<user>:export",
    summary="Write all that is known of a user into one archive",
    status_code=HTTPStatus.ACCEPTED,
    **ADMIN,
)
def post_export(user: User, key: RequestKey = None) -> Response[ExportOut]:
    asked, now = get_caller(router), wiring.now()
    export = request_export(
        Owner(tenant=asked.tenant, user=user),
        request_key=key,
        requested_by=asked.key_id,
        now=now,
        exports=wiring_transfer.exports(),
        announcements=wiring_search.announcements(),
    )
    out = ExportOut.from_export(export, archives=wiring_transfer.archives(), now=now)
    headers: dict[str, str | list[str]] = {"Location": f"/v1/jobs/{export.job_id}"}
    return Response(HTTPStatus.ACCEPTED, content_type="application/json", body=out, headers=headers)
