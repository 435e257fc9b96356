"""Texts too large for an item, in S3 under `spill/<key>`.

The bucket's lifecycle forgets what nobody removed.
"""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from membus.adapters.aws import translate_aws_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

_ABSENT = {"NoSuchKey", "AccessDenied"}
"""S3 says AccessDenied for an absent key to whoever may not list the bucket, which no function may."""


class S3Blobs:
    """Makes its client at the first large text: most processes never see one."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def keep(self, key: str, text: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().put_object(
                Bucket=self._bucket, Key=_object_key(key), Body=text.encode(), ContentType="application/json"
            )

    def text(self, key: str) -> str | None:
        with translate_aws_errors("spilled content"):
            try:
                found = self._client().get_object(Bucket=self._bucket, Key=_object_key(key))
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
            return found["Body"].read().decode()

    def drop(self, key: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().delete_object(Bucket=self._bucket, Key=_object_key(key))


def _object_key(key: str) -> str:
    return f"spill/{key}"
