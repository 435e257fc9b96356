"""HTTP of the API functions: strict JSON in, problem+json out, the caller from the authorizer alone."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError as NoRouteError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import TypeAdapter, ValidationError

from membus.core import strict_json
from membus.core.errors import (
    BudgetError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    MembusError,
    NotFoundError,
    RateLimitError,
    UnauthorizedError,
    UnavailableError,
)
from membus.core.identity import Caller, Id
from membus.observability import logger
from membus.tenants.api_keys import ANY_SCOPE

BODY_BYTES_MAX = 4_000_000
"""Below the 6 MB that Lambda takes, so that a larger body is rejected with a problem, before any write."""
PROBLEM_CONTENT_TYPE = "application/problem+json"
MALFORMED_CODES = frozenset({"invalid_json", "bad_cursor", "idempotency_key_missing"})
"""Codes of errors in the request's form rather than its content: 400 instead of 422."""
STATUSES = (
    (UnauthorizedError, HTTPStatus.UNAUTHORIZED),
    (ForbiddenError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (BudgetError, HTTPStatus.PAYMENT_REQUIRED),  # not 429, which clients retry before midnight
    (RateLimitError, HTTPStatus.TOO_MANY_REQUESTS),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (InvalidError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
CODE_STATUSES = {
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "payload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}
"""Errors whose status follows from their code alone."""

REPLACED = "\ufffd"
BATCHES = frozenset({"events", "episodes", "facts"})
"""Members of a body whose items are answered one by one."""
T = TypeVar("T")

NextHandler = Callable[[APIGatewayHttpResolver], Response[Any]]


class _Resolver(APIGatewayHttpResolver):
    """A resolver whose path parameters hold every character but a slash: ids are letters of any script."""

    @staticmethod
    def _compile_regex(rule: str, base_regex: str = "^{}$") -> re.Pattern[str]:
        return re.compile(base_regex.format(re.sub(r"<(\w+)>", r"(?P<\1>[^/]+)", rule)))


def create_application() -> APIGatewayHttpResolver:
    """Return a resolver that validates requests and answers every error with problem+json."""
    app = _Resolver(enable_validation=True, json_body_deserializer=parse_body, serializer=_serialize)

    @app.exception_handler(MembusError)
    def refused(error: MembusError) -> Response[str]:
        return problem_response(app, error)

    @app.exception_handler(RequestValidationError)
    def invalid(error: RequestValidationError) -> Response[str]:
        if any(each["loc"][0] == "response" for each in error.errors()):
            return _internal_error(app)  # ours, and after the work was done: no caller can put it right
        fields = [
            {"field": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in error.errors()
        ]
        words = "; ".join(f"{each['field']}: {each['problem']}" for each in fields)
        return problem_response(
            app, InvalidError(words or "the request does not fit its schema"), errors=fields
        )

    @app.not_found
    def no_route(_: NoRouteError) -> Response[str]:
        try:
            TypeAdapter(list[Id]).validate_python(list((app.current_event.path_parameters or {}).values()))
        except ValidationError:
            return problem_response(app, InvalidError("an id in the path holds characters that no id has"))
        return problem_response(app, NotFoundError("no such route", code="no_route"))

    @app.exception_handler(Exception)
    def defect(_: Exception) -> Response[str]:
        return _internal_error(app)

    return app


def respond_to_request(
    app: APIGatewayHttpResolver,
    event: dict[str, Any],
    context: LambdaContext,
    *,
    admit: Callable[[str], None],
) -> dict[str, Any]:
    """Return the answer to a request, whose body is read as JSON whatever its header says.

    `admit` checks the tenant's rate limit first, so that a refused request costs no parsing. Requests to
    public routes have no tenant and are not limited.
    """
    said = event["requestContext"].get("authorizer", {}).get("lambda")
    try:
        if said:
            admit(parse_caller(said).tenant)
    except MembusError as error:
        return _gateway_problem(error, event["requestContext"]["requestId"])
    headers = {**event.get("headers", {}), "content-type": "application/json"}
    answer = app.resolve(
        {**event, "headers": headers, "body": _body_text(event), "isBase64Encoded": False}, context
    )
    return answer | {"body": answer["body"] or ""}  # the gateway answers a null body with an error


def describe_route(function: str, scope: str) -> dict[str, Any]:
    """Return the arguments of a route that name its function and its scope.

    They check the scope, and that the route knows each query parameter.
    """

    def check(app: APIGatewayHttpResolver, next_middleware: NextHandler) -> Response[Any]:
        if scope not in {ANY_SCOPE, *get_caller(app).scopes}:
            raise ForbiddenError(f"this key lacks the scope {scope}", code="scope_missing")
        _refuse_unknown_parameters(app)
        return next_middleware(app)

    return {
        "middlewares": [check],
        "openapi_extensions": {"x-membus-function": function, "x-membus-scope": scope},
    }


def _refuse_unknown_parameters(app: APIGatewayHttpResolver) -> None:
    """Refuse a query parameter that the route does not have: ignored, a misspelt filter would show too much."""
    known = {field.alias for field in app.context["_route"].dependant.query_params}
    unknown = sorted(app.current_event.query_string_parameters.keys() - known)
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidError(
            f"unknown query parameter {', '.join(unknown)}; this route has {allowed}",
            code="unknown_parameter",
        )


def get_caller(app: APIGatewayHttpResolver | APIGatewayHttpRouter) -> Caller:
    """Return the caller, from the context of the authorizer."""
    return parse_caller(app.current_event.request_context.authorizer.get_lambda)


def parse_caller(said: Mapping[str, Any] | None) -> Caller:
    """Return the caller of an authorizer's context; UnauthorizedError without one."""
    if not said or not said.get("tenant_id"):
        raise UnauthorizedError("the request carries no verified credential")
    return Caller(tenant=said["tenant_id"], key_id=said["key_id"], scopes=frozenset(said["scopes"].split()))


def json_response(
    body: T, *, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[T]:
    """Return an answer with headers of its own."""
    return Response(status, content_type="application/json", body=body, headers={**(headers or {})})


def problem_response(app: APIGatewayHttpResolver, error: MembusError, **members: object) -> Response[str]:
    """Return the error as RFC 9457 problem+json with its stable code and the id under which it was logged."""
    body = json.dumps(_problem_fields(error, app.current_event.request_context.request_id) | members)
    headers: dict[str, str | list[str]] = {**_retry_headers(error)}
    return Response(_status(error), content_type=PROBLEM_CONTENT_TYPE, body=body, headers=headers)


def _gateway_problem(error: MembusError, request_id: str) -> dict[str, Any]:
    """Return the same problem in the gateway's form, for a request that no resolver has seen."""
    headers = {"Content-Type": PROBLEM_CONTENT_TYPE, **_retry_headers(error)}
    body = json.dumps(_problem_fields(error, request_id))
    return {"statusCode": int(_status(error)), "headers": headers, "body": body, "isBase64Encoded": False}


def _problem_fields(error: MembusError, request_id: str) -> dict[str, object]:
    status = _status(error)
    version = error.version if isinstance(error, ConflictError) else None
    return {
        "type": f"urn:membus:problem:{error.code}",
        "title": status.phrase,
        "status": status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    } | ({} if version is None else {"current_version": version})


def _retry_headers(error: MembusError) -> dict[str, str]:
    """Return the Retry-After header of an error that a retry may solve."""
    if isinstance(error, ConflictError):
        return {"Retry-After": "1"}
    return {"Retry-After": str(error.retry_after_seconds)} if isinstance(error, UnavailableError) else {}


def _internal_error(app: APIGatewayHttpResolver) -> Response[str]:
    logger.exception("a defect reached the edge")
    return problem_response(app, MembusError("something went wrong on our side"))


def _body_text(event: dict[str, Any]) -> str | None:
    """Return the body; bytes that are no UTF-8 become lone surrogates, which strict JSON refuses.

    The gateway may have replaced such bytes by U+FFFD; the client's content length tells them from a U+FFFD
    that the client wrote.
    """
    body: str | None = event.get("body")
    if not body:
        return body
    if event.get("isBase64Encoded"):
        return base64.b64decode(body).decode(errors="surrogateescape")
    if REPLACED not in body:
        return body
    length = event.get("headers", {}).get("content-length", "")
    return body if length in {"", str(len(body.encode()))} else body.replace(REPLACED, "\udcff")


def parse_body(text: str) -> Any:
    """Return the JSON of a request's body.

    Raises:
        InvalidError: `payload_too_large`, or as strict JSON says.
    """
    if len(text.encode("utf-8", "surrogatepass")) > BODY_BYTES_MAX:
        raise InvalidError(f"a body takes at most {BODY_BYTES_MAX} bytes", code="payload_too_large")
    return strict_json.parse_strict_json(text, batches=BATCHES)


def _serialize(value: Any) -> str:
    """Write every letter as itself: escaped, a Chinese text doubles, beyond the 6 MB that Lambda returns."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _status(error: MembusError) -> HTTPStatus:
    if error.code in MALFORMED_CODES:
        return HTTPStatus.BAD_REQUEST
    if error.code in CODE_STATUSES:
        return CODE_STATUSES[error.code]
    return next(
        (status for kind, status in STATUSES if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR
    )
