"""The data API: the routers of all resources."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.api.conversations import routes as conversations
from functions.api.episodes import routes as episodes
from functions.api.etags import NotModifiedError
from functions.api.events import routes as events
from functions.api.events.usecase import NothingAcceptedError
from functions.api.facts import routes as facts
from functions.api.jobs import routes as jobs
from functions.api.mcp import routes as mcp
from functions.api.mcp.routes import PostOnlyError
from functions.api.memories import routes as memories
from functions.api.middleware import erasure_middleware
from functions.api.public import routes as public
from functions.api.review_queue import routes as review_queue
from functions.api.search import routes as search
from functions.api.settings import routes as settings
from functions.api.states import routes as states
from functions.api.usage import routes as usage
from membus.http import create_application, problem_response

RESOURCES = (
    conversations,
    episodes,
    events,
    facts,
    jobs,
    mcp,
    memories,
    public,
    review_queue,
    search,
    settings,
    states,
    usage,
)
app = create_application()
app.use(middlewares=[erasure_middleware])
for resource in RESOURCES:
    app.include_router(resource.router)


@app.exception_handler(NothingAcceptedError)
def nothing_accepted(error: NothingAcceptedError) -> Response[str]:
    return problem_response(app, error.common_error, **error.receipt.model_dump())


@app.exception_handler(PostOnlyError)
def post_only(error: PostOnlyError) -> Response[str]:
    refusal = problem_response(app, error)
    refusal.headers["Allow"] = "POST"
    return refusal


@app.exception_handler(NotModifiedError)
def not_modified(error: NotModifiedError) -> Response[None]:
    return Response(HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})
