"""The composition of conversations.

What was said, summaries, fresh words, and the hot tier in front of them.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, contents, now

if TYPE_CHECKING:
    from membus.conversations.ports import (
        ConversationCache,
        ConversationStore,
        DeletedConversationItems,
        EntityCache,
        SummaryStore,
        UnprocessedMessages,
    )


@cache
def conversations() -> "ConversationStore":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb import DynamoConversations

    store, tier = DynamoConversations(dynamodb_table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.conversations.cache import CachingConversations

    return CachingConversations(store, tier)


@cache
def hot_tier() -> "ConversationCache | None":
    """Return the tier at HOT_TIER_URL, if there is one.

    HOT_TIER_CACHE names the ElastiCache that a role logs in to.
    """
    if not (url := _env("HOT_TIER_URL", "")):
        return None
    from boto3.session import Session

    from membus.conversations.valkey import ValkeyCache, connect_valkey
    from membus.conversations.valkey_login import ElastiCacheCredentials
    from membus.observability import logger

    def on_away(why: str) -> None:
        logger.warning("the hot tier is away, reads fall through", extra={"why": why})

    cache = _env("HOT_TIER_CACHE", "")
    login = ElastiCacheCredentials(cache, Session()) if cache else None
    return ValkeyCache(lambda: connect_valkey(url, cluster=bool(cache), credentials=login), on_away)


def live_entities() -> "EntityCache":
    from membus.conversations.cache import NoEntityCache

    return hot_tier() or NoEntityCache()


@cache
def summaries() -> "SummaryStore":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb_summaries import DynamoSummaries

    return DynamoSummaries(dynamodb_table(_env("CONVERSATIONS_TABLE")))


@cache
def remains() -> "DeletedConversationItems":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb import DynamoDeletedConversationItems

    return DynamoDeletedConversationItems(dynamodb_table(_env("CONVERSATIONS_TABLE")), contents())


@cache
def fresh() -> "UnprocessedMessages":
    from membus.aws.clients import dynamodb_table
    from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages

    store, tier = DynamoUnprocessedMessages(dynamodb_table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.conversations.cache import CachingUnprocessedMessages

    return CachingUnprocessedMessages(store, tier, now)
