"""Parquet objects in S3, `<tenant>/<agent>/<day>/<name>.parquet`: written once, then read back."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypedDict

import duckdb
from botocore.exceptions import ClientError

from membus.aws.clients import translate_aws_errors
from membus.core.errors import CorruptArchiveError, RestoreInProgressError, UnavailableError
from membus.episodes.archive.model import SMALL_BYTES, ArchiveObject, ArchivePack, EpisodeRow
from membus.episodes.archive.parquet import DuckDbParquet, RowSpan
from membus.episodes.archive.s3_ranges import PROTOCOL, S3RangeFileSystem
from membus.episodes.model import EpisodeQuery, mark_before

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESTORE_SECONDS = 5 * 3600
"""How long S3 takes to restore an object from GLACIER in its standard tier."""
RESTORE_DAYS = 7
CACHED_BYTES = 32 * 2**20
"""Parquet bytes of small objects that a process keeps: an object never changes under its key."""
WRITE_ATTEMPTS = 3
_ABSENT_CODES = {"NoSuchKey", "404"}
_CONFLICT_CODES = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}


@contextmanager
def archive_object_errors(client: "Callable[[], S3Client]", bucket: str, key: str) -> Iterator[None]:
    """Read an object inside the block, whole or by ranges.

    Raises:
        CorruptArchiveError: it is missing.
        RestoreInProgressError: its storage class takes hours to answer; its restore was requested.
        UnavailableError: the store does not answer.
    """
    with translate_aws_errors("the archive"):
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABSENT_CODES:
                raise CorruptArchiveError("is missing", key=key) from error
            if code != "InvalidObjectState":
                raise
            _request_restore(client(), bucket, key)
            raise RestoreInProgressError(key, retry_after_seconds=RESTORE_SECONDS) from error


def _request_restore(client: "S3Client", bucket: str, key: str) -> None:
    try:
        client.restore_object(
            Bucket=bucket,
            Key=key,
            RestoreRequest={"Days": RESTORE_DAYS, "GlacierJobParameters": {"Tier": "Standard"}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "RestoreAlreadyInProgress":
            raise


class LeftOut(TypedDict):
    without_user: str | None
    without_events: Sequence[str]


class S3ArchiveObjects:
    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._object_errors = partial(archive_object_errors, client, bucket)
        self._ranges = S3RangeFileSystem(client, bucket, self._object_errors)
        self._parquet = DuckDbParquet(self._ranges)

    def put_pack(self, pack: ArchivePack) -> ArchiveObject:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "pack.parquet"
            self._parquet.write_rows(pack.rows, path)
            body = path.read_bytes()
        stored = self._store(pack.object_key, body, read=self._parquet.read_rows, expected=list(pack.rows))
        return pack.to_object(size=len(stored), sha256=_sha256(stored))

    def read_rows(
        self, kept: ArchiveObject, wanted: EpisodeQuery, *, after: str, limit: int
    ) -> list[EpisodeRow]:
        span = RowSpan(after, mark_before(wanted.end), wanted.user_id, wanted.session_id, limit)
        with self._engine_errors(kept.object_key):
            if kept.bytes > SMALL_BYTES:
                return self._parquet.read_rows(f"{PROTOCOL}://{kept.object_key}", span)
            with parquet_file(self._read_cached(kept)) as path:
                return self._parquet.read_rows(path, span)

    def merge_objects(
        self,
        objects: Sequence[ArchiveObject],
        *,
        without_user: str | None = None,
        without_events: Sequence[str] = (),
    ) -> ArchiveObject | None:
        left_out: LeftOut = {"without_user": without_user, "without_events": without_events}
        with TemporaryDirectory() as folder:
            paths = [f"{folder}/{number}.parquet" for number in range(len(objects))]
            for path, each in zip(paths, objects, strict=True):
                Path(path).write_bytes(self._read_checked(each))
            merged = Path(folder) / "merged.parquet"
            with self._engine_errors(objects[0].object_key):
                self._parquet.merge_files(paths, merged, **left_out)
                expected = self._parquet.compute_fingerprint(paths, **left_out)
            if not expected[0]:
                return None
            rows, first, last = self._parquet.read_extent(str(merged))
            body = merged.read_bytes()
        new = objects[0].model_copy(
            update={
                "name": f"{first[:10]}-{_sha256(f'{expected}'.encode())[:24]}",
                "first": first,
                "last": last,
                "rows": rows,
                "hot_until": min(each.hot_until for each in objects),
            }
        )
        stored = self._store(
            new.object_key,
            body,
            read=lambda path: self._parquet.compute_fingerprint([path]),
            expected=expected,
        )
        return new.model_copy(update={"bytes": len(stored), "sha256": _sha256(stored)})

    def extract_events(
        self, objects: Sequence[ArchiveObject], path: Path, span: RowSpan, *, without: Sequence[str] = ()
    ) -> None:
        """Write the events in a span of several objects to one new file, without users in `without`.

        Large objects are read by ranges alone.
        """
        with TemporaryDirectory() as folder:
            paths = [f"{PROTOCOL}://{each.object_key}" for each in objects if each.bytes > SMALL_BYTES]
            for each in objects:
                if each.bytes <= SMALL_BYTES:
                    paths.append(f"{folder}/{len(paths)}.parquet")
                    Path(paths[-1]).write_bytes(self._read_cached(each))
            with self._engine_errors(objects[0].object_key):
                self._parquet.extract_events(paths, path, span, without=without)

    def delete_object(self, kept: ArchiveObject) -> None:
        with translate_aws_errors("the archive"):
            self._client().delete_object(Bucket=self._bucket, Key=kept.object_key)
        self._cache.pop(kept.object_key, None)

    def check_exists(self, kept: ArchiveObject) -> None:
        with self._object_errors(kept.object_key):
            answer = self._client().get_object(Bucket=self._bucket, Key=kept.object_key, Range="bytes=0-0")
            answer["Body"].read()

    def verify_object(self, kept: ArchiveObject) -> None:
        with self._engine_errors(kept.object_key), parquet_file(self._read_checked(kept)) as path:
            if self._parquet.read_extent(path) != (kept.rows, kept.first, kept.last):
                raise CorruptArchiveError("does not hold the rows that its entry names", key=kept.object_key)

    def _store(self, key: str, body: bytes, *, read: Callable[[str], object], expected: object) -> bytes:
        """Return the bytes under the key once they are read back and hold what is expected; replace others.

        The key follows from the rows, so an object that another archiver left there ought to hold the same.
        """
        condition: dict[str, Any] = {"IfNoneMatch": "*"}
        for _ in range(WRITE_ATTEMPTS):
            self._put(key, body, condition)
            try:
                found, etag = self._get(key)
            except CorruptArchiveError:  # another process merged its rows into a new object and deleted it
                condition = {"IfNoneMatch": "*"}
                continue
            if found == body or _holds(found, read, expected):
                return found
            condition = {"IfMatch": etag}
        raise UnavailableError(f"the archive's object {key} reads back as something else than was written")

    def _put(self, key: str, body: bytes, condition: dict[str, Any]) -> None:
        """Write the object unless another process was faster: then the caller reads and judges that one."""
        try:
            self._client().put_object(
                Bucket=self._bucket,
                Key=key,
                Body=body,
                ChecksumAlgorithm="SHA256",
                ContentType="application/vnd.apache.parquet",
                **condition,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in _CONFLICT_CODES:
                with translate_aws_errors("the archive"):
                    raise

    def _get(self, key: str) -> tuple[bytes, str]:
        with self._object_errors(key):
            answer = self._client().get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]

    def _read_cached(self, kept: ArchiveObject) -> bytes:
        body = self._cache.pop(kept.object_key, None) or self._read_checked(kept)
        self._cache[kept.object_key] = body
        while sum(map(len, self._cache.values())) > CACHED_BYTES:
            self._cache.popitem(last=False)
        return body

    def _read_checked(self, kept: ArchiveObject) -> bytes:
        body, _ = self._get(kept.object_key)
        if _sha256(body) != kept.sha256:
            raise CorruptArchiveError("is not what was written: its checksum differs", key=kept.object_key)
        return body

    @contextmanager
    def _engine_errors(self, key: str) -> Iterator[None]:
        """Translate DuckDB's errors: one that S3 caused, which DuckDB hides, keeps its own meaning."""
        try:
            yield
        except duckdb.Error as error:
            raise self._ranges.pop_error() or CorruptArchiveError(
                "is no Parquet file that can be read", key=key
            ) from error


def _holds(body: bytes, read: Callable[[str], object], expected: object) -> bool:
    try:
        with parquet_file(body) as path:
            return read(path) == expected
    except duckdb.Error:
        return False


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@contextmanager
def parquet_file(body: bytes) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "object.parquet"
        path.write_bytes(body)
        yield str(path)
