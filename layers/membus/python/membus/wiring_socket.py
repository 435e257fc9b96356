"""The composition of sockets: which are open, how frames reach them, and turns that outlast their request."""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, now

if TYPE_CHECKING:
    from membus.ports.connections import ConnectionStore, Push
    from membus.ports.turns import BackgroundTurns


@cache
def connections() -> "ConnectionStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_connections import DynamoConnections

    return DynamoConnections(table(_env("CONVERSATIONS_TABLE")), now)


@cache
def push() -> "Push":
    from membus.adapters.aws import client
    from membus.adapters.gateway_push import GatewayPush

    return GatewayPush(client("apigatewaymanagementapi", endpoint_url=_env("SOCKET_URL")))


@cache
def turns() -> "BackgroundTurns":
    from membus.adapters.aws import client
    from membus.adapters.lambda_turns import LambdaTurns

    return LambdaTurns(client("lambda"), _env("TURNS_FUNCTION"))
