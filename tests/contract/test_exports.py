"""The ports ExportJobs and ExportFiles: jobs start once and expire, links lead to files for a while."""

import io
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config

from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureStep, erasure_subject
from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.erasure.s3 import export_eraser as archives_of
from membus.transfer.dynamodb import DynamoExportJobs
from membus.transfer.model import FILE_LIFETIME, Export, ExportCursor, ExportPart, StoredPart
from membus.transfer.ports import ExportFiles, ExportJobs
from membus.transfer.s3 import S3ExportFiles
from tests.factories import NOON
from tests.fakes.clock import StoppedClock
from tests.fakes.exports import InMemoryExportFiles, InMemoryExportJobs
from tests.strict import strict_aws
from tests.support.backends import AwsBackend, OnEveryBackend
from tests.support.tables import make_bucket


@pytest.fixture
def exports(on_every_backend: OnEveryBackend, clock: StoppedClock) -> ExportJobs:
    return on_every_backend(
        lambda: InMemoryExportJobs(clock), lambda aws: DynamoExportJobs(aws.get_table("tenants"), clock)
    )


@pytest.fixture
def archives(on_every_backend: OnEveryBackend) -> ExportFiles:
    def adapter(aws: AwsBackend) -> ExportFiles:
        aws.get_blobs()
        s3 = aws.make_client("s3", config=Config(signature_version="s3v4"))  # as the process's own client
        return S3ExportFiles(lambda: s3, aws.bucket)

    return on_every_backend(InMemoryExportFiles, adapter)


def an_export(owner: Owner, **fields: object) -> Export:
    named = {
        "job_id": "export_1",
        "tenant": owner.tenant,
        "user": owner.user,
        "subject": "s1",
        "requested_by": "key1",
    }
    return Export.model_validate(named | {"requested_at": NOON} | fields)


def test_export_job_is_started_once(exports: ExportJobs, owner: Owner) -> None:
    first = exports.start_export(an_export(owner))

    assert exports.start_export(an_export(owner, requested_at=NOON + timedelta(hours=1))) == first
    assert exports.get_export(owner.tenant, "export_1") == first


def test_export_job_expires_with_its_file(exports: ExportJobs, owner: Owner, clock: StoppedClock) -> None:
    begun = exports.start_export(an_export(owner))
    changes = {"user": None, "status": "done", "ended_at": NOON, "rows": {"events.jsonl": 3}}
    ended = exports.save_progress(begun.model_copy(update=changes))

    assert exports.get_export(owner.tenant, "export_1") == ended
    clock.advance(FILE_LIFETIME)
    with pytest.raises(NotFoundError):
        exports.get_export(owner.tenant, "export_1")


def test_export_job_of_another_tenant_is_not_found(exports: ExportJobs, owner: Owner) -> None:
    exports.start_export(an_export(owner))

    with pytest.raises(NotFoundError):
        exports.get_export(f"{owner.tenant}x", "export_1")


def a_part(number: int, **fields: object) -> ExportPart:
    piece = {
        "name": "events.jsonl",
        "rows": 2,
        "bytes": 40,
        "sha256": "s",
        "crc": 7,
        "packed": 12,
        "offset": 30,
    }
    kept = StoredPart(etag=f"e{number}", checksum="c")
    return ExportPart.model_validate({"number": number, "kept": kept, "pieces": (piece,)} | fields)


def test_export_job_advances_by_parts_and_concurrent_runs_conflict(exports: ExportJobs, owner: Owner) -> None:
    begun = exports.start_export(an_export(owner, upload="u1"))
    further = begun.model_copy(
        update={"parts": 1, "bytes": 50, "at": ExportCursor(section="facts.jsonl", after={"name": "a"})}
    )
    first = exports.save_progress(further, a_part(1))

    with pytest.raises(ConflictError):
        exports.save_progress(further, a_part(1, kept=None))
    assert exports.get_export(owner.tenant, "export_1") == first
    second = exports.save_progress(first, a_part(2))
    assert exports.list_parts(second) == [a_part(1), a_part(2)]


def test_new_attempt_of_an_export_has_parts_of_its_own(exports: ExportJobs, owner: Owner) -> None:
    first = exports.save_progress(exports.start_export(an_export(owner)), a_part(1))
    anew = exports.save_progress(first.model_copy(update={"attempt": 2, "parts": 0}))

    assert exports.list_parts(anew) == []
    assert [part.number for part in exports.list_parts(exports.save_progress(anew, a_part(1)))] == [1]


def test_export_file_is_made_of_its_parts_and_the_last_copy_counts(
    archives: ExportFiles, owner: Owner
) -> None:
    place = an_export(owner).file_key
    large = bytes(5 << 20)
    for words in (b"first", b"second"):
        upload = archives.start_upload(place)
        archives.add_part(place, upload, 1, b"lost in a crash")
        parts = [archives.add_part(place, upload, 1, large), archives.add_part(place, upload, 2, words)]
        archives.complete_upload(place, upload, parts)

    found = io.BytesIO()
    archives.download_file(place, found)
    assert found.getvalue() == large + b"second"
    with pytest.raises(NotFoundError):
        archives.download_file(f"{place}x", found)


def test_upload_with_other_parts_is_rejected_and_an_aborted_one_is_gone(
    archives: ExportFiles, owner: Owner
) -> None:
    place = an_export(owner).file_key
    upload = archives.start_upload(place)
    kept = archives.add_part(place, upload, 1, b"mine")
    archives.add_part(place, upload, 1, b"a rival's")
    with pytest.raises(ConflictError):
        archives.complete_upload(place, upload, [kept])

    archives.abort_upload(place, upload)
    archives.abort_upload(place, upload)
    with pytest.raises(ConflictError):
        archives.add_part(place, upload, 1, b"mine")
    with pytest.raises(ConflictError):
        archives.complete_upload(place, upload, [kept])
    with pytest.raises(NotFoundError):
        archives.download_file(place, io.BytesIO())


def test_download_link_names_the_file_and_expires(archives: ExportFiles, owner: Owner) -> None:
    place = an_export(owner).file_key
    link = urlsplit(archives.create_link(place, seconds=900))

    assert link.path.endswith(place)
    asked = parse_qs(link.query)
    assert asked.get("X-Amz-Expires", asked.get("seconds")) == ["900"]


def test_erasure_removes_all_versions_and_parts_of_the_users_export_files() -> None:
    with strict_aws():
        make_bucket()
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.put_bucket_versioning(Bucket="membus-test-archive", VersioningConfiguration={"Status": "Enabled"})
        store = S3ExportFiles(lambda: s3, "membus-test-archive")
        erasing = archives_of(S3ObjectVersions(lambda: s3, "membus-test-archive"))
        ada, bob = Owner(tenant="acme", user="ada"), Owner(tenant="acme", user="bob")
        for owner in (ada, ada, bob):
            subject = erasure_subject(owner.tenant, owner.user)
            place = an_export(owner, subject=subject).file_key
            whole = store.start_upload(place)
            store.complete_upload(place, whole, [store.add_part(place, whole, 1, b"archive")])
            store.add_part(place, store.start_upload(place), 1, b"half of one")

        assert erasing.count(ada, ErasureStep()).counts == {"exports": 4}
        assert erasing.erase(ada, ErasureStep()).counts == {"exports": 4}
        assert erasing.count(ada, ErasureStep()).counts == {"exports": 0}
        assert erasing.count(bob, ErasureStep()).counts == {"exports": 2}
