"""Cold objects brought back.

Asked for where they lie in a class that takes hours, or from the version before.
"""

import hashlib
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.episodes.archive.model import ArchiveObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RestoreState = Literal["at hand", "being restored", "asked for", "brought back", "lost"]
SLOW_CLASSES = {"GLACIER", "DEEP_ARCHIVE"}


class S3ArchiveVersions:
    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def get_storage_class(self, kept: ArchiveObject) -> str | None:
        """Return where the object lies, None where there is none."""
        with translate_aws_errors("the archive"):
            try:
                found = self._client.head_object(Bucket=self._bucket, Key=kept.object_key)
            except ClientError as error:
                if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
                    return None
                raise
        return str(found.get("StorageClass", "STANDARD"))

    def restore_object(self, kept: ArchiveObject, *, days: int, dry_run: bool) -> RestoreState:
        """Make an object readable for some days.

        One that is missing or damaged comes back from a good version.
        """
        with translate_aws_errors("the archive"):
            if self.get_storage_class(kept) in SLOW_CLASSES:
                return self._thaw(kept, days, dry_run=dry_run)
            if self._is_good(kept, None):
                return "at hand"
            return self._bring_back(kept, dry_run=dry_run)

    def _thaw(self, kept: ArchiveObject, days: int, *, dry_run: bool) -> RestoreState:
        told = self._client.head_object(Bucket=self._bucket, Key=kept.object_key).get("Restore", "")
        if 'ongoing-request="false"' in told:
            return "at hand"
        if told or dry_run:
            return "being restored" if told else "asked for"
        wanted = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}
        self._client.restore_object(Bucket=self._bucket, Key=kept.object_key, RestoreRequest=wanted)  # type: ignore[arg-type]
        return "asked for"

    def _bring_back(self, kept: ArchiveObject, *, dry_run: bool) -> RestoreState:
        listed = self._client.list_object_versions(Bucket=self._bucket, Prefix=kept.object_key).get(
            "Versions", []
        )
        versions = (each["VersionId"] for each in listed if each["Key"] == kept.object_key)
        good = next((version for version in versions if self._is_good(kept, version)), None)
        if good is None:
            return "lost"
        if not dry_run:
            source = {"Bucket": self._bucket, "Key": kept.object_key, "VersionId": good}
            self._client.copy_object(Bucket=self._bucket, Key=kept.object_key, CopySource=source)  # type: ignore[arg-type]
        return "brought back"

    def _is_good(self, kept: ArchiveObject, version: str | None) -> bool:
        which = {"VersionId": version} if version else {}
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=kept.object_key, **which)  # type: ignore[arg-type]
        except ClientError as error:
            if error.response["Error"]["Code"] in {"404", "NoSuchKey", "MethodNotAllowed"}:
                return False
            raise
        return hashlib.sha256(found["Body"].read()).hexdigest() == kept.sha256
