"""The parts of episodes: the table they are written to, the archive, and the reader of both."""

from functools import cached_property, partial
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.episodes.archive.dynamodb import DynamoArchiveCatalog, DynamoUnarchivedEpisodes
from membus.episodes.archive.ports import (
    ArchiveObjects,
    ArchiveQueries,
    CompactionCatalog,
    UnarchivedEpisodes,
)
from membus.episodes.archive.reader import ArchivedEpisodes, TieredEpisodes
from membus.episodes.dynamodb import (
    DynamoEpisodeReader,
    DynamoEpisodes,
    DynamoEventTraces,
    DynamoRecentEvents,
)
from membus.episodes.ports import EpisodeReader, EpisodeStore, EventTraceReader, RecentEvents
from membus.search.lambda_ import LambdaEpisodes

if TYPE_CHECKING:
    from membus.episodes.archive.s3 import S3ArchiveObjects

OBJECT_SECONDS = 60
"""How long S3 may be silent: a merged object has 128 MB and more."""
CLIENT_SECONDS = 5


class EpisodeParts(Parts):
    @cached_property
    def store(self) -> EpisodeStore:
        return DynamoEpisodes(self._container.memory_table, self._container.blobs, self._shards)

    @cached_property
    def reader(self) -> EpisodeReader:
        """The reader that merges the table and the archive."""
        table, blobs, clock = self._container.memory_table, self._container.blobs, self._container.clock
        return TieredEpisodes(
            DynamoEpisodeReader(table, blobs, clock, self._shards),
            ArchivedEpisodes(self.catalog, lambda: self.objects, blobs, clock),
        )

    @cached_property
    def client(self) -> EpisodeReader:
        """The reader for a function without rights to the archive: it asks the API's function."""
        client = aws_client("lambda", attempts=1, read_timeout_seconds=CLIENT_SECONDS)
        return LambdaEpisodes(client, self._settings.get_text("RECALL_FUNCTION"))

    @cached_property
    def traces(self) -> EventTraceReader:
        return DynamoEventTraces(self._container.memory_table)

    @cached_property
    def recent(self) -> RecentEvents:
        return DynamoRecentEvents(self._container.memory_table)

    @cached_property
    def unarchived(self) -> UnarchivedEpisodes:
        return DynamoUnarchivedEpisodes(self._container.memory_table)

    @cached_property
    def catalog(self) -> CompactionCatalog:
        return DynamoArchiveCatalog(self._container.memory_table)

    @cached_property
    def objects(self) -> ArchiveObjects:
        return self._parquet

    @cached_property
    def archive_queries(self) -> ArchiveQueries:
        """Statements of a model over the archive; needs the layer with DuckDB."""
        from membus.episodes.archive.sql_sandbox import DuckDbArchiveQueries

        return DuckDbArchiveQueries(self.catalog, lambda: self._parquet)

    @property
    def hot_days(self) -> int:
        return self._settings.get_number("EPISODE_HOT_DAYS")

    @property
    def quiet_days(self) -> int:
        return self._settings.get_number("ARCHIVE_QUIET_DAYS")

    @property
    def _shards(self) -> int:
        """The partitions that one day of an agent is spread over: the number may grow and must not shrink."""
        return self._settings.get_number("EPISODE_SHARDS")

    @cached_property
    def _parquet(self) -> "S3ArchiveObjects":
        from membus.episodes.archive.s3 import S3ArchiveObjects

        client = partial(aws_client, "s3", read_timeout_seconds=OBJECT_SECONDS)
        return S3ArchiveObjects(client, self._settings.get_text("ARCHIVE_BUCKET"))
