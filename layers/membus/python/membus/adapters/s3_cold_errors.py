"""What S3 says of a cold object, in membus' words.

Missing, or in a class that takes hours and now asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from membus.adapters.aws import translate_aws_errors
from membus.errors import CorruptArchiveError, RestoreInProgressError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESTORE_SECONDS = 5 * 3600
"""How long S3 takes to bring an object back from GLACIER in its standard tier."""
RESTORE_DAYS = 7
_ABSENT = {"NoSuchKey", "404", "AccessDenied"}


@contextmanager
def archive_object_errors(client: "Callable[[], S3Client]", bucket: str, key: str) -> Iterator[None]:
    """Read an object inside the block, whole or by ranges.

    Raises:
        ArchiveError: it is missing.
        ThawingError: it lies in a class that takes hours; it has been asked for.
        UnavailableError: the store does not answer.
    """
    with translate_aws_errors("the archive"):
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABSENT:
                raise CorruptArchiveError("is missing", key=key) from error
            if code != "InvalidObjectState":
                raise
            _request_restore(client(), bucket, key)
            raise RestoreInProgressError(key, retry_after_seconds=RESTORE_SECONDS) from error


def _request_restore(client: "S3Client", bucket: str, key: str) -> None:
    try:
        client.restore_object(
            Bucket=bucket,
            Key=key,
            RestoreRequest={"Days": RESTORE_DAYS, "GlacierJobParameters": {"Tier": "Standard"}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "RestoreAlreadyInProgress":
            raise
