"""Archives of exports in S3, under `exports/`; the bucket's lifecycle removes them after a week."""

from typing import IO, TYPE_CHECKING

from botocore.exceptions import ClientError

from membus.adapters.aws import translated
from membus.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

CHUNK = 1 << 20


class S3Archives:
    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def keep(self, place: str, file: IO[bytes]) -> None:
        file.seek(0)
        with translated("the archive of an export"):
            self._client().put_object(Bucket=self._bucket, Key=place, Body=file, ContentType="application/zip")

    def fetch(self, place: str, into: IO[bytes]) -> None:
        with translated("the archive of an export"):
            try:
                body = self._client().get_object(Bucket=self._bucket, Key=place)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    raise NotFoundError("the archive is gone") from error
                raise
            for chunk in body.iter_chunks(CHUNK):
                into.write(chunk)

    def link(self, place: str, *, seconds: int) -> str:
        """The signer's own permission goes with it, and ends with its session."""
        named = {"Bucket": self._bucket, "Key": place}
        return self._client().generate_presigned_url("get_object", Params=named, ExpiresIn=seconds)
