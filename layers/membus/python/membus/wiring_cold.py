"""The composition of the cold tier.

What waits for it, its objects, its catalog, and reads that merge both tiers.
"""

from functools import cache, partial
from typing import TYPE_CHECKING

from membus.wiring import _env, contents, hot_episodes, now

if TYPE_CHECKING:
    from membus.episodes.archive.ports import (
        ArchiveObjects,
        ArchiveQueries,
        CompactionCatalog,
        UnarchivedEpisodes,
    )
    from membus.episodes.archive.s3 import S3ArchiveObjects
    from membus.episodes.ports import EpisodeReader

OBJECT_SECONDS = 60
"""A merged object has 128 MB and more."""


def hot_days() -> int:
    return int(_env("EPISODE_HOT_DAYS"))


def quiet_days() -> int:
    return int(_env("ARCHIVE_QUIET_DAYS"))


@cache
def waiting() -> "UnarchivedEpisodes":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.archive.dynamodb import DynamoUnarchivedEpisodes

    return DynamoUnarchivedEpisodes(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def catalog() -> "CompactionCatalog":
    from membus.aws.clients import dynamodb_table
    from membus.episodes.archive.dynamodb import DynamoArchiveCatalog

    return DynamoArchiveCatalog(dynamodb_table(_env("MEMORY_TABLE")))


@cache
def objects() -> "ArchiveObjects":
    return _parquet()


@cache
def _parquet() -> "S3ArchiveObjects":
    from membus.aws.clients import aws_client
    from membus.episodes.archive.s3 import S3ArchiveObjects

    return S3ArchiveObjects(
        partial(aws_client, "s3", read_timeout_seconds=OBJECT_SECONDS), _env("ARCHIVE_BUCKET")
    )


@cache
def archive() -> "ArchiveQueries":
    """Needs the layer with DuckDB, and a catalog that may be read.

    A process of its own runs the statements.
    """
    from membus.episodes.archive.sql_sandbox import DuckDbArchiveQueries

    return DuckDbArchiveQueries(catalog(), _parquet)


@cache
def episode_reader() -> "EpisodeReader":
    from membus.episodes.archive.reader import ArchivedEpisodes, TieredEpisodes

    return TieredEpisodes(hot_episodes(), ArchivedEpisodes(catalog(), objects, contents(), now))
