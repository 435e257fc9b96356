"""Texts too large for an item, in S3 under `spill/<key>`.

The bucket's lifecycle forgets what nobody removed.

Objects with all their versions.

For erasure alone, which leaves neither old versions nor marks of removed ones.
"""

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
_ABSENT = {"NoSuchKey", "AccessDenied"}
"""S3 says AccessDenied for an absent key to whoever may not list the bucket, which no function may."""


class S3Blobs:
    """Makes its client at the first large text: most processes never see one."""

    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put_text(self, key: str, text: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().put_object(
                Bucket=self._bucket, Key=_object_key(key), Body=text.encode(), ContentType="application/json"
            )

    def get_text(self, key: str) -> str | None:
        with translate_aws_errors("spilled content"):
            try:
                found = self._client().get_object(Bucket=self._bucket, Key=_object_key(key))
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise
            return found["Body"].read().decode()

    def delete_text(self, key: str) -> None:
        with translate_aws_errors("spilled content"):
            self._client().delete_object(Bucket=self._bucket, Key=_object_key(key))


def _object_key(key: str) -> str:
    return f"spill/{key}"


@dataclass(frozen=True)
class ObjectVersion:
    """`current` is what a reader without a version gets; `mark` says that it stands for a removed object."""

    key: str
    version_id: str
    current: bool
    mark: bool


class S3ObjectVersions:
    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def list_versions(self, prefix: str, *, after: str = "") -> Iterator[list[ObjectVersion]]:
        """Yield the versions below a prefix, in the order of their keys, of keys behind `after`."""
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
        """Remove every version below a prefix; return how many there were."""
        return sum(self.delete_versions(page) for page in list(self.list_versions(prefix)))

    def list_uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Return key and id of every upload below a prefix whose parts no version shows yet."""
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
        """Remove the parts of every upload below a prefix; return how many uploads there were."""
        uploads = self.list_uploads(prefix)
        for key, upload in uploads:
            with translate_aws_errors("the archive"), suppress(self._client().exceptions.NoSuchUpload):
                self._client().abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)
        return len(uploads)

    def delete_versions(self, versions: Sequence[ObjectVersion]) -> int:
        """Remove these versions for good; one that is gone already is fine."""
        for start in range(0, len(versions), 1000):
            named: Any = [
                {"Key": each.key, "VersionId": each.version_id} for each in versions[start : start + 1000]
            ]
            with translate_aws_errors("the archive"):
                answer = self._client().delete_objects(
                    Bucket=self._bucket, Delete={"Objects": named, "Quiet": True}
                )
            if refused := answer.get("Errors"):
                raise UnavailableError(f"the archive kept {len(refused)} versions: {refused[0].get('Code')}")
        return len(versions)

    def read_body(self, version: ObjectVersion) -> bytes | None:
        """Return what a version holds, None where it is gone."""
        with translate_aws_errors("the archive"):
            try:
                found = self._client().get_object(
                    Bucket=self._bucket, Key=version.key, VersionId=version.version_id
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in {"NoSuchKey", "NoSuchVersion", "404"}:
                    return None
                raise
            return found["Body"].read()


def _object_version(listed: Any, *, mark: bool) -> ObjectVersion:
    return ObjectVersion(
        key=listed["Key"], version_id=listed["VersionId"], current=listed["IsLatest"], mark=mark
    )
