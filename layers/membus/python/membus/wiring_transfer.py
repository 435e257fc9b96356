"""The composition of exports: their jobs and their archives."""

from functools import cache, partial
from typing import TYPE_CHECKING

from membus.wiring import _env, now

if TYPE_CHECKING:
    from membus.ports.transfer import Archives, Exports

FILE_SECONDS = 60
"""An archive may have gigabytes; this is how long S3 may be silent."""


@cache
def exports() -> "Exports":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_exports import DynamoExports

    return DynamoExports(table(_env("TENANTS_TABLE")), now)


@cache
def archives() -> "Archives":
    from membus.adapters.aws import client
    from membus.adapters.s3_archives import S3Archives

    return S3Archives(partial(client, "s3", read_timeout_seconds=FILE_SECONDS), _env("ARCHIVE_BUCKET"))
