"""What S3 says of a cold object, in membus' words.

Missing, or in a class that takes hours and now asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from membus.adapters.aws import translated
from membus.errors import ArchiveError, ThawingError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THAW_SECONDS = 5 * 3600
"""How long S3 takes to bring an object back from GLACIER in its standard tier."""
THAW_DAYS = 7
_ABSENT = {"NoSuchKey", "404", "AccessDenied"}


@contextmanager
def cold_object(client: "Callable[[], S3Client]", bucket: str, key: str) -> Iterator[None]:
    """Read an object inside the block, whole or by ranges.

    Raises:
        ArchiveError: it is missing.
        ThawingError: it lies in a class that takes hours; it has been asked for.
        UnavailableError: the store does not answer.
    """
    with translated("the archive"):
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABSENT:
                raise ArchiveError("is missing", key=key) from error
            if code != "InvalidObjectState":
                raise
            _thaw(client(), bucket, key)
            raise ThawingError(key, retry_after_seconds=THAW_SECONDS) from error


def _thaw(client: "S3Client", bucket: str, key: str) -> None:
    try:
        client.restore_object(
            Bucket=bucket,
            Key=key,
            RestoreRequest={"Days": THAW_DAYS, "GlacierJobParameters": {"Tier": "Standard"}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "RestoreAlreadyInProgress":
            raise
