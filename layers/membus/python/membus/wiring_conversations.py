"""The composition of conversations.

What was said, summaries, fresh words, and the hot tier in front of them.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.wiring import _env, contents, now

if TYPE_CHECKING:
    from membus.ports.conversations import ConversationStore
    from membus.ports.fresh import FreshWords
    from membus.ports.hot_tier import HotTier, LiveEntities
    from membus.ports.remains import Remains
    from membus.ports.summaries import SummaryStore


@cache
def conversations() -> "ConversationStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_conversations import DynamoConversations

    store, tier = DynamoConversations(table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot import HotConversations

    return HotConversations(store, tier)


@cache
def hot_tier() -> "HotTier | None":
    """Return the tier at HOT_TIER_URL, if there is one.

    HOT_TIER_CACHE names the ElastiCache that a role logs in to.
    """
    if not (url := _env("HOT_TIER_URL", "")):
        return None
    from boto3.session import Session

    from membus.adapters.valkey_hot import ValkeyHotTier, connect
    from membus.adapters.valkey_login import RoleLogin
    from membus.observability import logger

    def on_away(why: str) -> None:
        logger.warning("the hot tier is away, reads fall through", extra={"why": why})

    cache = _env("HOT_TIER_CACHE", "")
    login = RoleLogin(cache, Session()) if cache else None
    return ValkeyHotTier(lambda: connect(url, cluster=bool(cache), credentials=login), on_away)


def live_entities() -> "LiveEntities":
    from membus.hot_parts import NoTier

    return hot_tier() or NoTier()


@cache
def summaries() -> "SummaryStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_summaries import DynamoSummaries

    return DynamoSummaries(table(_env("CONVERSATIONS_TABLE")))


@cache
def remains() -> "Remains":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_remains import DynamoRemains

    return DynamoRemains(table(_env("CONVERSATIONS_TABLE")), contents())


@cache
def fresh() -> "FreshWords":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_fresh import DynamoFresh

    store, tier = DynamoFresh(table(_env("CONVERSATIONS_TABLE")), now), hot_tier()
    if tier is None:
        return store
    from membus.hot_parts import HotFreshWords

    return HotFreshWords(store, tier, now)
