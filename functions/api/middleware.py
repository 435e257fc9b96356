"""The erasure check of every request that names a user in its path or query."""

import unicodedata
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
from membus.erasure.guard import ensure_visible
from membus.http import get_caller

NextMiddleware = Callable[[APIGatewayHttpResolver], Response[Any]]
ERASE_ACTION, EXPORT_ACTION = "erase", "export"
HIDDEN_KEY = "hidden"


def erasure_middleware(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse a request about a user who is being erased, but for one that asks for the erasure again.

    Reads and exports query the ledger each time, one read unit; writes learn of an erasure within a minute.
    """
    event = app.current_event
    user = app.context.get("_route_args", {}).get("user") or event.get_query_string_value("user_id", "")
    user = unicodedata.normalize("NFC", user)  # as ids are kept: another form must not get around it
    action = event.path.rpartition(":")[2] if event.http_method == "POST" else event.http_method
    if user and action != ERASE_ACTION:
        if action in {"GET", EXPORT_ACTION}:
            ensure_visible(user, load_hidden(app))
        else:
            owner = Owner.model_construct(tenant=get_caller(app).tenant, user=user)
            app.context["container"].erasure.guard.ensure_writable(owner)
    return next_middleware(app)


def load_hidden(app: APIGatewayHttpResolver | APIGatewayHttpRouter) -> SubjectsBeingErased:
    """Return whom the answer must not show, by one read of the ledger for each request.

    Raises:
        NotFoundError: the whole tenant is being erased.
    """
    if HIDDEN_KEY not in app.context:
        app.context[HIDDEN_KEY] = app.context["container"].erasure.guard.get_hidden(get_caller(app).tenant)
    hidden: SubjectsBeingErased = app.context[HIDDEN_KEY]
    if hidden.includes_everybody:
        raise NotFoundError("nothing is known about this tenant")
    return hidden
