"""The composition of sockets and long turns.

Connections, frames, replies on their way, work behind the scenes.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_conversations import conversations, hot_tier

if TYPE_CHECKING:
    from membus.ports.connections import ConnectionStore, Push
    from membus.ports.pending import PendingReplies
    from membus.ports.turns import BackgroundTurns
    from membus.replies import Replies


@cache
def connections() -> "ConnectionStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_connections import DynamoConnections

    return DynamoConnections(table(_env("CONVERSATIONS_TABLE")), now)


@cache
def pending() -> "PendingReplies":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_pending import DynamoPending

    store, tier = DynamoPending(table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot_parts import HotPending

    return HotPending(store, tier)


def replies() -> "Replies":
    from membus.replies import Replies

    return Replies(conversations(), pending(), now)


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
