"""The composition of sockets and long turns.

Connections, frames, replies on their way, work behind the scenes.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_conversations import conversations, hot_tier

if TYPE_CHECKING:
    from membus.ports.connections import ConnectionStore, SocketSender
    from membus.ports.pending import ReplyJobStore
    from membus.ports.turns import TurnQueue
    from membus.replies import MessageReader


@cache
def connections() -> "ConnectionStore":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_connections import DynamoConnections

    return DynamoConnections(dynamodb_table(_env("CONVERSATIONS_TABLE")), now)


@cache
def pending() -> "ReplyJobStore":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_pending import DynamoReplyJobs

    store, tier = DynamoReplyJobs(dynamodb_table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot_parts import CachingReplyJobs

    return CachingReplyJobs(store, tier)


def replies() -> "MessageReader":
    from membus.replies import MessageReader

    return MessageReader(conversations(), pending(), now)


@cache
def push() -> "SocketSender":
    from membus.adapters.aws import aws_client
    from membus.adapters.gateway_push import ApiGatewaySender

    return ApiGatewaySender(aws_client("apigatewaymanagementapi", endpoint_url=_env("SOCKET_URL")))


@cache
def turns() -> "TurnQueue":
    from membus.adapters.aws import aws_client
    from membus.adapters.lambda_turns import LambdaTurnQueue

    return LambdaTurnQueue(aws_client("lambda"), _env("TURNS_FUNCTION"))
