"""Parquet in S3, `<tenant>/<agent>/<day>/<name>.parquet`.

Written once, read back, and only then vouched for.

What S3 says of a cold object, in membus' words.

Missing, or in a class that takes hours and now asked for.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

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
"""How long S3 takes to bring an object back from GLACIER in its standard tier."""
RESTORE_DAYS = 7
_ABSENT = {"NoSuchKey", "404", "AccessDenied"}


@contextmanager
def archive_object_errors(client: "Callable[[], S3Client]", bucket: str, key: str) -> Iterator[None]:
    """Read an object inside the block, whole or by ranges.

    Raises:
        ArchiveError: it is missing.
        ThawingError: it lies in a class that takes hours; it has been asked for.
        UnavailableError: the store does not answer.
    """
    with translate_aws_errors("the archive"):
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABSENT:
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


CACHED_BYTES = 32 * 2**20
"""Parquet bytes of small objects that a process keeps: they never change under their key."""
WRITE_ATTEMPTS = 3
_EXISTS = {"PreconditionFailed", "412"}
_COLLIDED = {"ConditionalRequestConflict", "409"}


class S3ArchiveObjects:
    def __init__(self, client: "Callable[[], S3Client]", bucket: str) -> None:
        self._client, self._bucket = client, bucket
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._asked = partial(archive_object_errors, client, bucket)
        self._ranges = S3RangeFileSystem(client, bucket, self._asked)
        self._parquet = DuckDbParquet(self._ranges)

    def put_pack(self, pack: ArchivePack) -> ArchiveObject:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "pack.parquet"
            self._parquet.write_rows(pack.rows, path)
            body = path.read_bytes()
        stored = self._stored(
            pack.object_key, body, lambda found: self._holds(found, self._parquet.read_rows, list(pack.rows))
        )
        return pack.to_object(size=len(stored), sha256=hashlib.sha256(stored).hexdigest())

    def read_rows(
        self, kept: ArchiveObject, wanted: EpisodeQuery, *, after: str, limit: int
    ) -> list[EpisodeRow]:
        span = RowSpan(after, mark_before(wanted.end), wanted.user_id, wanted.session_id, limit)
        with self._named(kept.object_key):
            if kept.bytes > SMALL_BYTES:
                return self._parquet.read_rows(f"{PROTOCOL}://{kept.object_key}", span)
            with parquet_file(self._small(kept)) as path:
                return self._parquet.read_rows(path, span)

    def merge_objects(
        self, objects: Sequence[ArchiveObject], *, without_user: str | None = None
    ) -> ArchiveObject | None:
        with TemporaryDirectory() as folder:
            paths = [
                str(self._fetched(each, Path(folder) / f"{n}.parquet")) for n, each in enumerate(objects)
            ]
            merged = Path(folder) / "merged.parquet"
            with self._named(objects[0].object_key):
                self._parquet.merge_files(paths, merged, without_user=without_user)
                expected = self._parquet.compute_fingerprint(paths, without_user=without_user)
            if not expected[0]:
                return None
            rows, first, last = self._parquet.read_extent(str(merged))
            body = merged.read_bytes()
        digest = hashlib.sha256(f"{expected}".encode()).hexdigest()
        template = objects[0].model_copy(
            update={
                "name": f"{first[:10]}-{digest[:24]}",
                "first": first,
                "last": last,
                "rows": rows,
                "hot_until": min(each.hot_until for each in objects),
            }
        )
        stored = self._stored(
            template.object_key, body, lambda found: self._holds(found, self._fingerprint, expected)
        )
        return template.model_copy(
            update={"bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
        )

    def extract_events(
        self, objects: Sequence[ArchiveObject], path: Path, span: RowSpan, *, without: Sequence[str] = ()
    ) -> None:
        """Write what of several objects lies in a span to one new file, but for rows of users in `without`.

        Large ones are read by ranges alone.
        """
        with TemporaryDirectory() as folder:
            paths = [f"{PROTOCOL}://{each.object_key}" for each in objects if each.bytes > SMALL_BYTES]
            for each in objects:
                if each.bytes <= SMALL_BYTES:
                    paths.append(f"{folder}/{len(paths)}.parquet")
                    Path(paths[-1]).write_bytes(self._small(each))
            with self._named(objects[0].object_key):
                self._parquet.extract_events(paths, path, span, without=without)

    def delete_object(self, kept: ArchiveObject) -> None:
        with translate_aws_errors("the archive"):
            self._client().delete_object(Bucket=self._bucket, Key=kept.object_key)
        self._cache.pop(kept.object_key, None)

    def check_exists(self, kept: ArchiveObject) -> None:
        with self._asked(kept.object_key):
            self._client().get_object(Bucket=self._bucket, Key=kept.object_key, Range="bytes=0-0")[
                "Body"
            ].read()

    def verify_object(self, kept: ArchiveObject) -> None:
        with self._named(kept.object_key), parquet_file(self._checked(kept)) as path:
            if self._parquet.read_extent(path) != (kept.rows, kept.first, kept.last):
                raise CorruptArchiveError("does not hold the rows that its entry names", key=kept.object_key)

    def _stored(self, key: str, body: bytes, holds: Callable[[bytes], bool]) -> bytes:
        """Return what lies under the key once that was read back and found good; a bad object is replaced.

        A crashed or concurrent archiver may have put it there: the key follows from the rows, so whatever it
        is, it ought to hold the same ones.
        """
        condition: dict[str, Any] = {"IfNoneMatch": "*"}
        for _ in range(WRITE_ATTEMPTS):
            self._put(key, body, condition)
            try:
                found, etag = self._get(key)
            except (
                CorruptArchiveError
            ):  # it was there, and was removed because its rows lie in a merged one, too
                condition = {"IfNoneMatch": "*"}
                continue
            if found == body or holds(found):
                return found
            condition = {"IfMatch": etag}
        raise UnavailableError(f"the archive's object {key} reads back as something else than was written")

    def _holds(self, body: bytes, look: Callable[[str], object], expected: object) -> bool:
        try:
            with parquet_file(body) as path:
                return look(path) == expected
        except duckdb.Error:
            return False

    def _fingerprint(self, path: str) -> tuple[Any, ...]:
        return self._parquet.compute_fingerprint([path])

    def _put(self, key: str, body: bytes, condition: dict[str, Any]) -> None:
        """Write unless somebody was faster, which the read that follows will judge."""
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
            if error.response["Error"]["Code"] not in _EXISTS | _COLLIDED:
                with translate_aws_errors("the archive"):
                    raise

    def _small(self, kept: ArchiveObject) -> bytes:
        body = self._cache.pop(kept.object_key, None) or self._checked(kept)
        self._cache[kept.object_key] = body
        while sum(map(len, self._cache.values())) > CACHED_BYTES:
            self._cache.popitem(last=False)
        return body

    def _fetched(self, kept: ArchiveObject, path: Path) -> Path:
        path.write_bytes(self._checked(kept))
        return path

    def _checked(self, kept: ArchiveObject) -> bytes:
        body, _ = self._get(kept.object_key)
        if hashlib.sha256(body).hexdigest() != kept.sha256:
            raise CorruptArchiveError("is not what was written: its checksum differs", key=kept.object_key)
        return body

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Say of which object DuckDB could not make sense; what S3 said to it keeps its own meaning."""
        try:
            yield
        except duckdb.Error as error:
            raise self._ranges.pop_error() or CorruptArchiveError(
                "is no Parquet file that can be read", key=key
            ) from error

    def _get(self, key: str) -> tuple[bytes, str]:
        with self._asked(key):
            answer = self._client().get_object(Bucket=self._bucket, Key=key)
            return answer["Body"].read(), answer["ETag"]


@contextmanager
def parquet_file(body: bytes) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "object.parquet"
        path.write_bytes(body)
        yield str(path)
