"""The composition of exports: their jobs and their archives."""

from functools import cache, partial
from typing import TYPE_CHECKING

from membus.wiring import _env, now

if TYPE_CHECKING:
    from membus.transfer.ports import ExportFiles, ExportJobs

FILE_SECONDS = 60
"""An archive may have gigabytes; this is how long S3 may be silent."""


@cache
def exports() -> "ExportJobs":
    from membus.aws.clients import dynamodb_table
    from membus.transfer.dynamodb import DynamoExportJobs

    return DynamoExportJobs(dynamodb_table(_env("TENANTS_TABLE")), now)


@cache
def archives() -> "ExportFiles":
    from membus.aws.clients import aws_client
    from membus.transfer.s3 import S3ExportFiles

    return S3ExportFiles(partial(aws_client, "s3", read_timeout_seconds=FILE_SECONDS), _env("ARCHIVE_BUCKET"))
