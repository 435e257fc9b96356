"""Cold objects brought back.

What is at hand stays, what was damaged or removed returns from the version before.
"""

from collections.abc import Iterator

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
def client() -> Iterator[object]:
    with strict_aws():
        make_bucket()
        client = boto3.client("s3", region_name="us-east-1")
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def kept(client: object) -> ArchiveObject:
    pack = pack_rows("acme", "guide", NOON.date(), [a_cold_row()], hot_until=NOON)
    return S3ArchiveObjects(lambda: client, BUCKET).put_pack(pack)  # type: ignore[arg-type, return-value]


def restored(client: object, kept: ArchiveObject, *, dry_run: bool = False) -> str:
    return S3ArchiveVersions(client, BUCKET).restore_object(kept, days=7, dry_run=dry_run)  # type: ignore[arg-type]


def test_a_good_object_is_left_alone(client: object, kept: ArchiveObject) -> None:
    assert restored(client, kept) == "at hand"
    assert S3ArchiveVersions(client, BUCKET).get_storage_class(kept) == "STANDARD"  # type: ignore[arg-type]


@pytest.mark.parametrize("harm", ["removed", "damaged"])
def test_a_harmed_object_comes_back_from_the_version_before(
    client: object, kept: ArchiveObject, harm: str
) -> None:
    if harm == "removed":
        client.delete_object(Bucket=BUCKET, Key=kept.key)  # type: ignore[attr-defined]
    else:
        client.put_object(Bucket=BUCKET, Key=kept.key, Body=b"PAR1")  # type: ignore[attr-defined]

    assert restored(client, kept, dry_run=True) == "brought back"
    assert restored(client, kept, dry_run=True) == "brought back", "a dry run brings nothing back"
    assert restored(client, kept) == "brought back"
    assert restored(client, kept) == "at hand"


def test_an_object_without_a_good_version_is_lost(client: object, kept: ArchiveObject) -> None:
    for version in client.list_object_versions(Bucket=BUCKET)["Versions"]:  # type: ignore[attr-defined]
        client.delete_object(Bucket=BUCKET, Key=kept.key, VersionId=version["VersionId"])  # type: ignore[attr-defined]

    assert restored(client, kept) == "lost"
    assert S3ArchiveVersions(client, BUCKET).get_storage_class(kept) is None  # type: ignore[arg-type]


def test_an_object_in_a_slow_class_is_asked_for_once(client: object, kept: ArchiveObject) -> None:
    source = {"Bucket": BUCKET, "Key": kept.object_key}
    client.copy_object(Bucket=BUCKET, Key=kept.key, CopySource=source, StorageClass="GLACIER")  # type: ignore[attr-defined]

    assert restored(client, kept, dry_run=True) == "asked for"
    assert restored(client, kept) == "asked for"
    assert restored(client, kept) in {"being restored", "at hand"}
