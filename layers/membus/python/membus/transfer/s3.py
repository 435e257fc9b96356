"""Export files in S3, under `exports/`; the bucket's lifecycle removes them after a week."""

from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.core.errors import ConflictError, NotFoundError
from membus.transfer.model import StoredPart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 20
EXPORT_FILE = "the archive of an export"
UPLOAD_LOST_CODES = frozenset(
    {"NoSuchUpload", "InvalidPart", "InvalidPartOrder", "BadDigest", "PreconditionFailed"}
)


class S3ExportFiles:
    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def start_upload(self, place: str) -> str:
        with translate_aws_errors(EXPORT_FILE):
            begun = self._client().create_multipart_upload(
                Bucket=self._bucket, Key=place, ContentType="application/zip", ChecksumAlgorithm="CRC32"
            )
        return begun["UploadId"]

    def add_part(self, place: str, upload: str, number: int, data: bytes) -> StoredPart:
        with _upload_errors("the archive's parts are gone"):
            kept = self._client().upload_part(
                **self._upload_key(place, upload), PartNumber=number, Body=data, ChecksumAlgorithm="CRC32"
            )
        return StoredPart(etag=kept["ETag"], checksum=kept.get("ChecksumCRC32"))

    def complete_upload(self, place: str, upload: str, parts: "Sequence[StoredPart]") -> None:
        named: list[Any] = [
            {"PartNumber": number, "ETag": kept.etag}
            | ({"ChecksumCRC32": kept.checksum} if kept.checksum else {})
            for number, kept in enumerate(parts, 1)
        ]
        with _upload_errors("the archive's parts are gone, or others"):
            self._client().complete_multipart_upload(
                **self._upload_key(place, upload), MultipartUpload={"Parts": named}
            )

    def abort_upload(self, place: str, upload: str) -> None:
        with suppress(ConflictError), _upload_errors("the archive's parts are gone"):
            self._client().abort_multipart_upload(**self._upload_key(place, upload))

    def download_file(self, place: str, into: IO[bytes]) -> None:
        with translate_aws_errors(EXPORT_FILE):
            try:
                body = self._client().get_object(Bucket=self._bucket, Key=place)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    raise NotFoundError("the archive is gone") from error
                raise
            for chunk in body.iter_chunks(CHUNK_BYTES):
                into.write(chunk)

    def create_link(self, place: str, *, seconds: int) -> str:
        """Sign with the permissions of this process; the link ends with their session at the latest."""
        named = {"Bucket": self._bucket, "Key": place}
        return self._client().generate_presigned_url("get_object", Params=named, ExpiresIn=seconds)

    def _upload_key(self, place: str, upload: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": place, "UploadId": upload}


@contextmanager
def _upload_errors(why: str) -> "Iterator[None]":
    """Raise ConflictError for an upload that no retry brings back."""
    with translate_aws_errors(EXPORT_FILE):
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] in UPLOAD_LOST_CODES:
                raise ConflictError(why) from error
            raise
