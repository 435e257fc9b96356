"""Whoever names a user asks the erasure ledger first: one who is being erased is neither read nor written."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from membus import wiring_erasing
from membus.domain.identity import Owner
from membus.http import caller

Next = Callable[[APIGatewayHttpResolver], Response[Any]]
ERASE = ":erase"


def erasure_wall(app: APIGatewayHttpResolver, next_middleware: Next) -> Response[Any]:
    """Pass a request on unless it is about a user who is being erased, which only asking for it again may be.

    Reads ask the ledger each time, one read unit; writes hear of an erasure within a minute.
    """
    event = app.current_event
    user = app.context.get("_route_args", {}).get("user") or event.get_query_string_value("user_id", "")
    if user and not (event.http_method == "POST" and event.path.endswith(ERASE)):
        owner = Owner.model_construct(tenant=caller(app).tenant, user=user)
        gate = wiring_erasing.gate()
        if event.http_method == "GET":
            gate.show(owner)
        else:
            gate.admit(owner)
    return next_middleware(app)
