"""`/v1/users/{user}`: what is known about a user, and why."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory import facts
from functions.memory.api import FactHistory, FactPage, ProfileOut
from functions.memory.routes.parameters import READ, Cursor, Limit, Moment, User
from membus import wiring
from membus.domain.attributes import FactKey
from membus.domain.facts import Fact, Kind
from membus.domain.identity import Owner
from membus.http import caller

router = APIGatewayHttpRouter()
Key = Annotated[FactKey, Path()]


@router.get("/v1/users/<user>/profile", summary="What is known about a user, compact", **READ)
def get_profile(user: User, as_of: Moment = None) -> ProfileOut:
    return facts.read_profile(_owner(user), as_of, facts=wiring.facts())


@router.get("/v1/users/<user>/facts", summary="The facts about a user", **READ)
def get_facts(
    *,
    user: User,
    kind: Annotated[Kind | None, Query()] = None,
    as_of: Moment = None,
    known_at: Moment = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FactPage:
    if as_of or known_at:
        return facts.list_facts_then(_owner(user), kind=kind, true_at=as_of, known_at=known_at, facts=wiring.facts())
    return facts.list_facts(
        _owner(user), kind=kind, limit=limit, cursor=cursor, facts=wiring.facts(), sealer=wiring.sealer()
    )


@router.get("/v1/users/<user>/facts/<key>", summary="One fact", **READ)
def get_fact(user: User, key: Key) -> Fact:
    return facts.read_fact(_owner(user), key, facts=wiring.facts())


@router.get("/v1/users/<user>/facts/<key>/history", summary="Every version of a fact and what caused it", **READ)
def get_history(user: User, key: Key) -> FactHistory:
    return facts.read_history(_owner(user), key, facts=wiring.facts())


def _owner(user: str) -> Owner:
    return Owner(tenant=caller(router).tenant, user=user)
