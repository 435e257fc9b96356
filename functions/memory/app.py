"""The data API: every router of this function behind one door."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.memory.incoming import NothingAcceptedError
from functions.memory.routes import (
    conversations,
    episodes,
    erasure,
    events,
    exporting,
    facts,
    memories,
    public,
    quarantine,
    search,
    states,
    summaries,
    usage,
)
from functions.memory.routes.etags import NotModifiedError
from functions.memory.routes.walls import erasure_middleware
from membus.http import create_application, problem_response

app = create_application()
app.use(middlewares=[erasure_middleware])
for routes in (
    events,
    facts,
    quarantine,
    states,
    episodes,
    memories,
    search,
    conversations,
    summaries,
    usage,
    erasure,
    exporting,
    public,
):
    app.include_router(routes.router)


@app.exception_handler(NothingAcceptedError)
def nothing_accepted(error: NothingAcceptedError) -> Response[str]:
    return problem_response(app, error.cause, **error.receipt.model_dump())


@app.exception_handler(NotModifiedError)
def not_modified(error: NotModifiedError) -> Response[None]:
    return Response(HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})
