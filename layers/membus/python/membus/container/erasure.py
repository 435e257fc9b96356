"""The parts of erasure: the ledger that every writer asks, and every store that holds users' data."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property, partial

from membus.aws.clients import aws_client
from membus.aws.s3 import S3ObjectVersions
from membus.container.episodes import OBJECT_SECONDS
from membus.container.parts import Parts
from membus.core.erasure import ErasableStore
from membus.erasure.dynamodb import DynamoErasures
from membus.erasure.guard import CachedErasures, ErasureGuard
from membus.erasure.ports import ErasureJobs, ErasureLedger


class ErasureParts(Parts):
    @cached_property
    def guard(self) -> ErasureGuard:
        """The guard of a process that writes; it learns of an erasure within a minute."""
        return ErasureGuard(CachedErasures(self.ledger, self._container.clock))

    @cached_property
    def ledger(self) -> ErasureLedger:
        return DynamoErasures(self._container.tenants_table)

    @cached_property
    def jobs(self) -> ErasureJobs:
        return DynamoErasures(self._container.tenants_table)

    @property
    def settle_time(self) -> timedelta:
        """How long writes of before an erasure may still arrive."""
        return timedelta(seconds=self._settings.get_number("ERASURE_SETTLE_SECONDS"))

    @property
    def kept_days(self) -> Mapping[str, int]:
        """The days for which copies are kept that no query reaches, by name of the copy."""
        kept: dict[str, int] = json.loads(self._settings.get_text("COPIES_KEPT_DAYS"))
        return kept

    @property
    def dead_letter_queues(self) -> Mapping[str, str]:
        """The addresses of all dead-letter queues, by name."""
        queues: dict[str, str] = json.loads(self._settings.get_text("ENDED_QUEUE_URLS"))
        return queues

    @cached_property
    def object_versions(self) -> S3ObjectVersions:
        client = partial(aws_client, "s3", read_timeout_seconds=OBJECT_SECONDS)
        return S3ObjectVersions(client, self._settings.get_text("ARCHIVE_BUCKET"))

    def list_stores(self) -> Sequence[ErasableStore]:
        """Return every store that holds users' data, in the order in which they are erased.

        An item that points to others comes before them where they are found by it; the queues come last.
        """
        from membus.episodes.archive.erasure import ArchiveEraser
        from membus.episodes.erasure import EpisodeEraser, EventEraser
        from membus.erasure.s3 import document_text_eraser, export_eraser, large_text_eraser
        from membus.erasure.sqs import DeadLetterEraser
        from membus.erasure.user_partition import UserItemEraser
        from membus.search.erasure import IndexEraser

        memory, versions = self._container.memory_table, self.object_versions
        episodes = self._container.episodes
        ends = self._container.clock() + timedelta(days=1 + max(self.kept_days.values()))
        traces = EventEraser(memory, versions, ends)
        return (
            UserItemEraser(memory, "memory", traces),
            self._conversation_eraser(),
            UserItemEraser(self._container.conversations_table, "fresh_words"),
            EpisodeEraser(memory, traces, versions),
            ArchiveEraser(episodes.catalog, episodes.objects, versions, traces),
            large_text_eraser(versions),
            document_text_eraser(versions),
            export_eraser(versions),
            IndexEraser(self._container.postgres.transactions),
            DeadLetterEraser(aws_client("sqs"), self.dead_letter_queues),
        )

    def list_purge_stores(self, events: Sequence[str]) -> Sequence[ErasableStore]:
        """Return every store that may hold words of these events, in the order in which they are purged."""
        from membus.conversations.dynamodb import DynamoConversations
        from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
        from membus.conversations.purge import TurnPurger, UnprocessedPurger
        from membus.episodes.archive.erasure import ArchiveEraser
        from membus.episodes.erasure import EventEraser
        from membus.episodes.purge import EpisodePurger
        from membus.erasure.s3 import export_eraser
        from membus.erasure.sqs import DeadLetterEraser, is_about_events
        from membus.facts.purge import FactPurger, TracePurger
        from membus.search.purge import IndexPurger

        memory, versions = self._container.memory_table, self.object_versions
        table, clock = self._container.conversations_table, self._container.clock
        conversations, episodes = self._container.conversations, self._container.episodes
        traces = EventEraser(memory, versions, clock() + timedelta(days=1 + max(self.kept_days.values())))
        return (
            UnprocessedPurger(table, DynamoUnprocessedMessages(table, clock), events),
            TurnPurger(table, DynamoConversations(table, clock), versions, conversations.cache, events),
            TracePurger(memory, events),
            FactPurger(memory, events),
            EpisodePurger(memory, traces, versions, events),
            ArchiveEraser(episodes.catalog, episodes.objects, versions, traces, events),
            export_eraser(versions),
            IndexPurger(self._container.postgres.transactions, events),
            DeadLetterEraser(aws_client("sqs"), self.dead_letter_queues, is_about_events(frozenset(events))),
        )

    def _conversation_eraser(self) -> ErasableStore:
        from membus.conversations.dynamodb import DynamoConversations
        from membus.conversations.erasure import ConversationEraser

        table, conversations = self._container.conversations_table, self._container.conversations
        return ConversationEraser(
            table,
            DynamoConversations(table, self._container.clock),
            conversations.deleted_items,
            self.object_versions,
            conversations.cache,
        )
