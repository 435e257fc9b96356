"""The data API: every router of this function behind one door."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.api.conversations.routes import router as conversations_router
from functions.api.episodes.routes import router as episodes_router
from functions.api.erasure.routes import router as erasure_router
from functions.api.etags import NotModifiedError
from functions.api.events.routes import router as events_router
from functions.api.events.usecase import NothingAcceptedError
from functions.api.export.routes import router as export_router
from functions.api.facts.routes import router as facts_router
from functions.api.memories.routes import router as memories_router
from functions.api.middleware import erasure_middleware
from functions.api.public.routes import router as public_router
from functions.api.review_queue.routes import router as review_queue_router
from functions.api.search.routes import router as search_router
from functions.api.states.routes import router as states_router
from functions.api.usage.routes import router as usage_router
from membus.http import create_application, problem_response

app = create_application()
app.use(middlewares=[erasure_middleware])
for router in (
    conversations_router,
    episodes_router,
    erasure_router,
    events_router,
    export_router,
    facts_router,
    memories_router,
    public_router,
    review_queue_router,
    search_router,
    states_router,
    usage_router,
):
    app.include_router(router)


@app.exception_handler(NothingAcceptedError)
def nothing_accepted(error: NothingAcceptedError) -> Response[str]:
    return problem_response(app, error.common_error, **error.receipt.model_dump())


@app.exception_handler(NotModifiedError)
def not_modified(error: NotModifiedError) -> Response[None]:
    return Response(HTTPStatus.NOT_MODIFIED, headers={"ETag": error.tag})
