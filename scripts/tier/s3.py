"""Objects of the archive brought back: out of a slow storage class, or from the version before."""

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.episodes.archive.model import ArchiveObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RestoreState = Literal["at hand", "being restored", "asked for", "brought back", "lost"]
SLOW_CLASSES = {"GLACIER", "DEEP_ARCHIVE"}
ABSENT = {"404", "NoSuchKey", "MethodNotAllowed"}


class S3ArchiveVersions:
    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client: Any = client
        self._bucket = bucket

    def get_storage_class(self, kept: ArchiveObject) -> str | None:
        """Return the storage class of the object, None if there is no object."""
        with translate_aws_errors("the archive"):
            found = self._read(self._client.head_object, Key=kept.object_key)
        return None if found is None else str(found.get("StorageClass", "STANDARD"))

    def restore_object(self, kept: ArchiveObject, *, days: int, dry_run: bool) -> RestoreState:
        """Make an object readable for some days; a missing or damaged one comes back from a good version."""
        with translate_aws_errors("the archive"):
            if self.get_storage_class(kept) in SLOW_CLASSES:
                return self._restore_from_slow_class(kept, days, dry_run=dry_run)
            if self._is_good(kept):
                return "at hand"
            return self._restore_version(kept, dry_run=dry_run)

    def _restore_from_slow_class(self, kept: ArchiveObject, days: int, *, dry_run: bool) -> RestoreState:
        named = {"Bucket": self._bucket, "Key": kept.object_key}
        state = self._client.head_object(**named).get("Restore", "")
        if 'ongoing-request="false"' in state:
            return "at hand"
        if state:
            return "being restored"
        if not dry_run:
            request = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}
            self._client.restore_object(**named, RestoreRequest=request)
        return "asked for"

    def _restore_version(self, kept: ArchiveObject, *, dry_run: bool) -> RestoreState:
        key = kept.object_key
        listed = self._client.list_object_versions(Bucket=self._bucket, Prefix=key).get("Versions", [])
        versions = (each["VersionId"] for each in listed if each["Key"] == key)
        good = next((version for version in versions if self._is_good(kept, VersionId=version)), None)
        if good is None:
            return "lost"
        if not dry_run:
            source = {"Bucket": self._bucket, "Key": key, "VersionId": good}
            self._client.copy_object(Bucket=self._bucket, Key=key, CopySource=source)
        return "brought back"

    def _is_good(self, kept: ArchiveObject, **version: str) -> bool:
        found = self._read(self._client.get_object, Key=kept.object_key, **version)
        return found is not None and hashlib.sha256(found["Body"].read()).hexdigest() == kept.sha256

    def _read(self, call: Any, **request: str) -> Any:
        """Return the answer of a read, None if there is no such object or version."""
        try:
            return call(Bucket=self._bucket, **request)
        except ClientError as error:
            if error.response["Error"]["Code"] in ABSENT:
                return None
            raise
