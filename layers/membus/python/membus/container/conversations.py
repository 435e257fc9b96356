"""The parts of conversations: their stores, the cache in front of them, sockets and replies in progress."""

from functools import cached_property

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.conversations.apigateway import ApiGatewaySender
from membus.conversations.cache import (
    CachingConversations,
    CachingReplyJobs,
    CachingUnprocessedMessages,
    NoEntityCache,
)
from membus.conversations.dynamodb import DynamoConversations, DynamoDeletedConversationItems
from membus.conversations.dynamodb_replies import DynamoConnections, DynamoReplyJobs
from membus.conversations.dynamodb_summaries import DynamoSummaries
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.lambda_ import LambdaTurnQueue
from membus.conversations.message_reader import MessageReader
from membus.conversations.ports import (
    ConnectionStore,
    ConversationCache,
    ConversationStore,
    DeletedConversationItems,
    EntityCache,
    ReplyJobStore,
    SocketSender,
    SummaryStore,
    TurnQueue,
    UnprocessedMessages,
)
from membus.observability import EmfMonitor, logger


class ConversationParts(Parts):
    @cached_property
    def store(self) -> ConversationStore:
        store = DynamoConversations(self._container.conversations_table, self._container.clock)
        return CachingConversations(store, self.cache) if self.cache else store

    @cached_property
    def cache(self) -> ConversationCache | None:
        """The Valkey cache at HOT_TIER_URL, if there is one; HOT_TIER_CACHE is its ElastiCache name."""
        if not (url := self._settings.get_text("HOT_TIER_URL", "")):
            return None
        from boto3.session import Session

        from membus.conversations.valkey import ValkeyCache, connect_valkey
        from membus.conversations.valkey_login import ElastiCacheCredentials

        def on_away(why: str) -> None:
            logger.warning("the hot tier is away, reads fall through", extra={"why": why})
            EmfMonitor().report_hot_tier_away(self._container.environment)

        name = self._settings.get_text("HOT_TIER_CACHE", "")
        login = ElastiCacheCredentials(name, Session()) if name else None
        return ValkeyCache(lambda: connect_valkey(url, cluster=bool(name), credentials=login), on_away)

    @cached_property
    def entities(self) -> EntityCache:
        return self.cache or NoEntityCache()

    @cached_property
    def summaries(self) -> SummaryStore:
        return DynamoSummaries(self._container.conversations_table)

    @cached_property
    def deleted_items(self) -> DeletedConversationItems:
        return DynamoDeletedConversationItems(self._container.conversations_table, self._container.blobs)

    @cached_property
    def unprocessed(self) -> UnprocessedMessages:
        clock = self._container.clock
        store = DynamoUnprocessedMessages(self._container.conversations_table, clock)
        return CachingUnprocessedMessages(store, self.cache, clock) if self.cache else store

    @cached_property
    def reply_jobs(self) -> ReplyJobStore:
        store = DynamoReplyJobs(self._container.conversations_table, self._container.clock)
        return CachingReplyJobs(store, self.cache) if self.cache else store

    @cached_property
    def messages(self) -> MessageReader:
        return MessageReader(self.store, self.reply_jobs, self._container.clock)

    @cached_property
    def connections(self) -> ConnectionStore:
        return DynamoConnections(self._container.conversations_table, self._container.clock)

    @cached_property
    def sender(self) -> SocketSender:
        url = self._settings.get_text("SOCKET_URL")
        return ApiGatewaySender(aws_client("apigatewaymanagementapi", endpoint_url=url))

    @cached_property
    def turn_queue(self) -> TurnQueue:
        return LambdaTurnQueue(aws_client("lambda"), self._settings.get_text("TURNS_FUNCTION"))
