"""Objects in S3 as files that are read by ranges: a reader of a large one fetches what its footer names."""

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from membus.core.errors import MembusError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mypy_boto3_s3 import S3Client

PROTOCOL = "s3ranges"
READ_AHEAD_BYTES = 2**20
"""Bytes of one request: a footer, or a column of a row group."""


class S3RangeFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec carries no types
    """`s3ranges://<key>` is an object of one bucket, read at the version that `info` saw.

    `object_errors` translates the errors of a request for an object.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(
        self,
        client: "Callable[[], S3Client]",
        bucket: str,
        object_errors: "Callable[[str], AbstractContextManager[None]]",
    ) -> None:
        super().__init__()
        self.client, self.bucket, self._object_errors = client, bucket, object_errors
        self._error: MembusError | None = None

    @contextmanager
    def translate_errors(self, key: str) -> "Iterator[None]":
        try:
            with self._object_errors(key):
                yield
        except MembusError as error:
            self._error = error
            raise

    def pop_error(self) -> MembusError | None:
        """Return, once, the last error of a request: DuckDB passes on its text alone."""
        error, self._error = self._error, None
        return error

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        key = self._strip_protocol(path)
        with self.translate_errors(key):
            found = self.client().head_object(Bucket=self.bucket, Key=key)
        return {
            "name": key,
            "size": found["ContentLength"],
            "type": "file",
            "etag": found["ETag"],
            "modified": found["LastModified"],
        }

    def modified(self, path: str) -> datetime:
        changed: datetime = self.info(path)["modified"]
        return changed

    def _open(self, path: str, mode: str = "rb", **_: Any) -> "_RangedFile":
        known = self.info(path)
        return _RangedFile(
            self, known["name"], mode, block_size=READ_AHEAD_BYTES, size=known["size"], etag=known["etag"]
        )


class _RangedFile(AbstractBufferedFile):  # type: ignore[misc] # as above
    def __init__(self, store: S3RangeFileSystem, path: str, mode: str, *, etag: str, **options: Any) -> None:
        self._etag = etag
        super().__init__(store, path, mode, **options)

    def _fetch_range(self, start: int, end: int) -> bytes:
        with self.fs.translate_errors(self.path):
            answer = self.fs.client().get_object(
                Bucket=self.fs.bucket, Key=self.path, Range=f"bytes={start}-{end - 1}", IfMatch=self._etag
            )
            read: bytes = answer["Body"].read()
        return read
