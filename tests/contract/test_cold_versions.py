"""scripts/tier/s3: a good object stays, a damaged or removed one comes back from the version before."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from membus.episodes.archive.model import ArchiveObject, pack_rows
from membus.episodes.archive.s3 import S3ArchiveObjects
from scripts.tier.s3 import S3ArchiveVersions
from tests.factories import NOON, a_cold_row
from tests.strict import strict_aws
from tests.support.tables import make_bucket

BUCKET = "membus-test-archive"


@pytest.fixture
def client() -> Iterator[Any]:
    with strict_aws():
        make_bucket()
        client = boto3.client("s3", region_name="us-east-1")
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def kept(client: Any) -> ArchiveObject:
    pack = pack_rows("acme", "guide", NOON.date(), [a_cold_row()], hot_until=NOON)
    return S3ArchiveObjects(lambda: client, BUCKET).put_pack(pack)


def restored(client: Any, kept: ArchiveObject, *, dry_run: bool = False) -> str:
    return S3ArchiveVersions(client, BUCKET).restore_object(kept, days=7, dry_run=dry_run)


def test_good_object_is_not_changed(client: Any, kept: ArchiveObject) -> None:
    assert restored(client, kept) == "at hand"
    assert S3ArchiveVersions(client, BUCKET).get_storage_class(kept) == "STANDARD"


@pytest.mark.parametrize("harm", ["removed", "damaged"])
def test_damaged_object_comes_back_from_the_version_before(
    client: Any, kept: ArchiveObject, harm: str
) -> None:
    if harm == "removed":
        client.delete_object(Bucket=BUCKET, Key=kept.object_key)
    else:
        client.put_object(Bucket=BUCKET, Key=kept.object_key, Body=b"PAR1")

    assert restored(client, kept, dry_run=True) == "brought back"
    assert restored(client, kept, dry_run=True) == "brought back", "a dry run brings nothing back"
    assert restored(client, kept) == "brought back"
    assert restored(client, kept) == "at hand"


def test_object_without_a_good_version_is_lost(client: Any, kept: ArchiveObject) -> None:
    for version in client.list_object_versions(Bucket=BUCKET)["Versions"]:
        client.delete_object(Bucket=BUCKET, Key=kept.object_key, VersionId=version["VersionId"])

    assert restored(client, kept) == "lost"
    assert S3ArchiveVersions(client, BUCKET).get_storage_class(kept) is None


def test_object_in_a_slow_storage_class_is_asked_for_once(client: Any, kept: ArchiveObject) -> None:
    source = {"Bucket": BUCKET, "Key": kept.object_key}
    client.copy_object(Bucket=BUCKET, Key=kept.object_key, CopySource=source, StorageClass="GLACIER")

    assert restored(client, kept, dry_run=True) == "asked for"
    assert restored(client, kept) == "asked for"
    assert restored(client, kept) in {"being restored", "at hand"}
