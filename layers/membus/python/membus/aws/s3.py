"""Objects in S3: large texts under `spill/`, and, for erasure, all versions of objects."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

_ABSENT = {"NoSuchKey", "404"}
"""Readers may list the bucket, so S3 tells an absent object from one that a policy denies."""


class S3Blobs:
    """Makes its client with the first large text: most processes never need one.

    The bucket's lifecycle deletes texts that were not deleted here.
    """

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put_text(self, key: str, text: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().put_object(
                Bucket=self._bucket, Key=f"spill/{key}", Body=text.encode(), ContentType="application/json"
            )

    def get_text(self, key: str) -> str | None:
        where = {"Bucket": self._bucket, "Key": f"spill/{key}"}
        body = _read_object(self._client(), where, _ABSENT, "spilled content")
        return None if body is None else body.decode()

    def delete_text(self, key: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().delete_object(Bucket=self._bucket, Key=f"spill/{key}")


DELETE_BATCH_MAX = 1000


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object; `current` is what readers get, `mark` a delete marker."""

    key: str
    version_id: str
    current: bool
    mark: bool


class S3ObjectVersions:
    """All versions of a bucket's objects, with delete markers, and uploads that were not completed."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def list_versions(self, prefix: str, *, after: str = "") -> Iterator[list[ObjectVersion]]:
        """Yield pages of the versions under a prefix, ordered by key, from keys after `after`."""
        where: dict[str, Any] = {"KeyMarker": after} if after else {}
        while True:
            with translate_aws_errors("the archive"):
                answer = self._client().list_object_versions(Bucket=self._bucket, Prefix=prefix, **where)
            found = [_object_version(each, mark=False) for each in answer.get("Versions", [])]
            found += [_object_version(each, mark=True) for each in answer.get("DeleteMarkers", [])]
            if found:
                yield sorted(found, key=lambda each: (each.key, not each.current))
            if not answer.get("IsTruncated"):
                return
            where = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer["NextVersionIdMarker"]}

    def count_versions(self, prefix: str) -> int:
        return sum(len(page) for page in self.list_versions(prefix))

    def purge_prefix(self, prefix: str) -> int:
        """Delete every version under a prefix; return how many there were."""
        return sum(self.delete_versions(page) for page in list(self.list_versions(prefix)))

    def list_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Return key and id of every upload under a prefix that is not completed."""
        found: list[tuple[str, str]] = []
        where: dict[str, Any] = {}
        while True:
            with translate_aws_errors("the archive"):
                answer = self._client().list_multipart_uploads(Bucket=self._bucket, Prefix=prefix, **where)
            found += [(each["Key"], each["UploadId"]) for each in answer.get("Uploads", [])]
            if not answer.get("IsTruncated"):
                return found
            where = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}

    def abort_uploads(self, prefix: str) -> int:
        """Delete the parts of every upload under a prefix; return how many uploads there were."""
        uploads = self.list_uploads(prefix)
        for key, upload in uploads:
            with translate_aws_errors("the archive"), suppress(self._client().exceptions.NoSuchUpload):
                self._client().abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        return len(uploads)

    def delete_versions(self, versions: Sequence[ObjectVersion]) -> int:
        """Delete these versions; one that is absent already is fine."""
        for start in range(0, len(versions), DELETE_BATCH_MAX):
            batch = versions[start : start + DELETE_BATCH_MAX]
            objects: Any = [{"Key": each.key, "VersionId": each.version_id} for each in batch]
            deletion: Any = {"Objects": objects, "Quiet": True}
            with translate_aws_errors("the archive"):
                answer = self._client().delete_objects(Bucket=self._bucket, Delete=deletion)
            if refused := answer.get("Errors"):
                raise UnavailableError(f"the archive kept {len(refused)} versions: {refused[0].get('Code')}")
        return len(versions)

    def read_body(self, version: ObjectVersion) -> bytes | None:
        """Return the content of a version, None where it is absent."""
        where = {"Bucket": self._bucket, "Key": version.key, "VersionId": version.version_id}
        return _read_object(self._client(), where, {"NoSuchKey", "NoSuchVersion", "404"}, "the archive")


def _object_version(listed: Any, *, mark: bool) -> ObjectVersion:
    return ObjectVersion(
        key=listed["Key"], version_id=listed["VersionId"], current=listed["IsLatest"], mark=mark
    )


def _read_object(client: Any, where: dict[str, str], absent: set[str], part: str) -> bytes | None:
    with translate_aws_errors(part):
        try:
            body: bytes = client.get_object(**where)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in absent:
                return None
            raise
    return body
