"""The data API: every router of this function behind one door."""

from aws_lambda_powertools.event_handler import Response

from functions.memory.events import NothingAcceptedError
from functions.memory.routes import conversations, events, facts, public
from membus.http import application, problem

app = application()
for routes in (events, facts, conversations, public):
    app.include_router(routes.router)


@app.exception_handler(NothingAcceptedError)
def nothing_accepted(error: NothingAcceptedError) -> Response[str]:
    return problem(app, error.cause, **error.receipt.model_dump())
