"""Entry point of the authorizer: the policy of a request's key, or an error that becomes a 401."""

from typing import Any

from functions.authorize.log import log_decision
from functions.authorize.policy import build_policy
from functions.authorize.usecase import authenticate, read_credential
from membus.container import Container
from membus.core.errors import UnauthorizedError

container = Container.from_environment()


def handler(
    event: dict[str, Any],
    context: object,  # noqa: ARG001 - Lambda passes it
    container: Container = container,
) -> dict[str, Any]:
    request_id = event["requestContext"]["requestId"]
    headers = {name.lower(): value for name, value in event["headers"].items()}
    try:
        key = authenticate(
            read_credential(event["requestContext"], headers),
            environment=container.environment,
            keys=container.api_keys,
            now=container.clock(),
        )
    except UnauthorizedError as refusal:
        log_decision("refused", reason=refusal.detail, request_id=request_id)
        # The gateway answers 401 to exactly this message, 403 to a deny and 500 to any other error.
        raise UnauthorizedError("Unauthorized") from None
    log_decision("admitted", key_id=key.key_id, tenant_id=key.tenant_id, request_id=request_id)
    return build_policy(
        key, arn=event.get("routeArn") or event["methodArn"], route_scopes=container.route_scopes
    )
