"""Parameters that routes share, and the scopes that routes ask for."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import AwareDatetime, BeforeValidator

from functions.api.fields import require_written_moment
from functions.api.jobs.schemas import ErasureJobOut
from functions.api.purge.schemas import PurgePreview
from membus.core.errors import InvalidError
from membus.core.identity import Id
from membus.http import describe_route
from membus.tenants.api_keys import ANY_SCOPE

READ, WRITE, EVENTS, ADMIN, ANY_KEY = (
    describe_route("api", scope)
    for scope in ("memory:read", "memory:write", "events:write", "admin", ANY_SCOPE)
)

PathId = Annotated[Id, Path()]
Limit = Annotated[int, Query(ge=1, le=200, description="how many items a page has at most")]
Cursor = Annotated[str | None, Query(max_length=2048, description="`next_cursor` of the page before")]
MomentParameter = Annotated[AwareDatetime | None, BeforeValidator(require_written_moment)]
AsOf = Annotated[MomentParameter, Query(description="what was true at this moment; left out: now")]
KnownAt = Annotated[MomentParameter, Query(description="what was known at this moment; left out: now")]
RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="names the request: a repeat under the same key changes nothing and has the same answer",
    ),
]


Purge = Annotated[bool, Query(description="true: the words leave every store, for good")]
DryRun = Annotated[bool, Query(description="true: only show what a purge would take")]
PURGE_RESPONSES: dict[int, OpenAPIResponse] = {
    HTTPStatus.OK: {
        "description": "What a purge would take; nothing was changed",
        "content": {"application/json": {"model": PurgePreview}},
    },
    HTTPStatus.ACCEPTED: {
        "description": "The purge is under way: the job to ask for",
        "content": {"application/json": {"model": ErasureJobOut}},
    },
}


def require_idempotency_key(key: str | None) -> str:
    """Return the Idempotency-Key of a request that makes something new; without one it could do so twice."""
    if key is None:
        raise InvalidError(
            "send an Idempotency-Key: this request makes something new", code="idempotency_key_missing"
        )
    return key
