"""The parts of exports: their jobs and their files."""

from functools import cached_property, partial

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.transfer.dynamodb import DynamoExportJobs
from membus.transfer.ports import ExportFiles, ExportJobs
from membus.transfer.s3 import S3ExportFiles

FILE_SECONDS = 60
"""How long S3 may be silent: an export may have gigabytes."""


class TransferParts(Parts):
    @cached_property
    def jobs(self) -> ExportJobs:
        return DynamoExportJobs(self._container.tenants_table, self._container.clock)

    @cached_property
    def files(self) -> ExportFiles:
        client = partial(aws_client, "s3", read_timeout_seconds=FILE_SECONDS)
        return S3ExportFiles(client, self._settings.get_text("ARCHIVE_BUCKET"))
