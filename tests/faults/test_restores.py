"""Archived objects in a class that takes hours: restored once, returned as a job, read once they are back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.api.episodes.schemas import RESTORE_JOB_PREFIX, RestoreJobOut
from functions.api.episodes.usecase import read_restore_job
from membus.core.errors import CorruptArchiveError, InvalidError, NotFoundError, RestoreInProgressError
from membus.episodes.archive.model import SMALL_BYTES, ArchiveObject
from membus.episodes.archive.parquet import RowSpan
from membus.episodes.archive.s3 import S3ArchiveObjects
from tests.factories import ADA
from tests.support.archive_tiers import BUCKET, ArchiveSetup, calls, fill, ids, make_archive_setup

LARGE = SMALL_BYTES + 1


@pytest.fixture(params=["whole", "by ranges"])
def made(request: pytest.FixtureRequest) -> Iterator[ArchiveSetup]:
    """Ada's days in the archive, their hot copies gone; how an object is read follows from its entry."""
    with make_archive_setup() as made:
        fill(made, ADA)
        made.archive()
        made.expire()
        if request.param == "by ranges":
            for each in made.archiver.catalog.list_objects("acme"):
                made.archiver.catalog.add_object(each.model_copy(update={"bytes": LARGE}))
        yield made


def freeze(made: ArchiveSetup, kept: ArchiveObject) -> None:
    source = {"Bucket": BUCKET, "Key": kept.object_key}
    made.s3.copy_object(Bucket=BUCKET, Key=kept.object_key, CopySource=source, StorageClass="GLACIER")  # type: ignore[arg-type]


def objects_of(made: ArchiveSetup) -> S3ArchiveObjects:
    """Return a reader that has read nothing yet."""
    return S3ArchiveObjects(lambda: made.s3, BUCKET)


def test_restore_of_a_frozen_object_is_requested_and_returned_as_a_job(made: ArchiveSetup) -> None:
    first = made.archiver.catalog.list_objects("acme")[0]
    freeze(made, first)

    with calls(made, lambda _name, _number: None) as seen, pytest.raises(RestoreInProgressError) as thawing:
        made.walk(ADA)

    assert seen.count("RestoreObject") == 1
    assert made.s3.head_object(Bucket=BUCKET, Key=first.object_key)["Restore"]
    told = RestoreJobOut.from_error(thawing.value)
    assert (told.object, told.status, told.retry_after_seconds) == (first.object_key, "running", 18_000)


def test_restore_job_reads_one_byte_of_the_tenants_own_object(made: ArchiveSetup) -> None:
    catalog, objects = made.archiver.catalog, made.archiver.objects
    first = catalog.list_objects("acme")[0]
    job = RestoreJobOut.from_error(RestoreInProgressError(first.object_key, retry_after_seconds=1)).job_id
    read: list[int] = []
    made.s3.meta.events.register(
        "after-call.s3.GetObject", lambda parsed, **_: read.append(parsed["ContentLength"])
    )

    assert read_restore_job("acme", job, catalog=catalog, objects=objects).status == "done"
    assert read == [1]
    for tenant, wrong in (("zeta", job), ("acme", f"{RESTORE_JOB_PREFIX}bm9uZQ")):
        with pytest.raises(NotFoundError):
            read_restore_job(tenant, wrong, catalog=catalog, objects=objects)
    with pytest.raises(InvalidError):
        read_restore_job("acme", f"{RESTORE_JOB_PREFIX}_____", catalog=catalog, objects=objects)


def test_restored_object_is_read_unchanged(made: ArchiveSetup) -> None:
    everything = ids(made.walk(ADA))
    first = made.archiver.catalog.list_objects("acme")[0]
    freeze(made, first)
    job = RestoreJobOut.from_error(RestoreInProgressError(first.object_key, retry_after_seconds=1)).job_id

    with pytest.raises(RestoreInProgressError):
        objects_of(made).check_exists(first)
    told = read_restore_job("acme", job, catalog=made.archiver.catalog, objects=objects_of(made))

    assert told.status == "done", "this S3 brings back at once what was asked for"
    assert ids(made.walk(ADA)) == everything


def test_object_in_glacier_is_named_among_several(made: ArchiveSetup, tmp_path: Path) -> None:
    *_, last = objects = made.archiver.catalog.list_objects("acme")
    freeze(made, last)

    with pytest.raises(RestoreInProgressError) as thawing:
        objects_of(made).extract_events(objects, tmp_path / "rows.parquet", RowSpan())

    assert thawing.value.key == last.object_key


def test_missing_object_is_named_among_several(made: ArchiveSetup, tmp_path: Path) -> None:
    *_, last = objects = made.archiver.catalog.list_objects("acme")
    made.s3.delete_object(Bucket=BUCKET, Key=last.object_key)

    with pytest.raises(CorruptArchiveError) as missing:
        objects_of(made).extract_events(objects, tmp_path / "rows.parquet", RowSpan())

    assert missing.value.key == last.object_key
