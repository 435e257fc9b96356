"""The composition of sockets and long turns.

Connections, frames, replies on their way, work behind the scenes.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, now
from membus.wiring_conversations import conversations, hot_tier

if TYPE_CHECKING:
    from membus.conversations.message_reader import MessageReader
    from membus.conversations.ports import ConnectionStore, ReplyJobStore, SocketSender, TurnQueue


@cache
def connections() -> "ConnectionStore":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb_replies import DynamoConnections

    return DynamoConnections(dynamodb_table(_env("CONVERSATIONS_TABLE")), now)


@cache
def pending() -> "ReplyJobStore":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb_replies import DynamoReplyJobs

    store, tier = DynamoReplyJobs(dynamodb_table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.conversations.cache import CachingReplyJobs

    return CachingReplyJobs(store, tier)


def replies() -> "MessageReader":
    from membus.conversations.message_reader import MessageReader

    return MessageReader(conversations(), pending(), now)


@cache
def push() -> "SocketSender":
    from membus.aws.clients import aws_client
    from membus.conversations.apigateway import ApiGatewaySender

    return ApiGatewaySender(aws_client("apigatewaymanagementapi", endpoint_url=_env("SOCKET_URL")))


@cache
def turns() -> "TurnQueue":
    from membus.aws.clients import aws_client
    from membus.conversations.lambda_ import LambdaTurnQueue

    return LambdaTurnQueue(aws_client("lambda"), _env("TURNS_FUNCTION"))
