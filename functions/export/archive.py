"""The archive: files of JSON lines in a zip, written as they come, the same bytes for the same lines."""

import hashlib
import io
from collections.abc import Iterable
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from membus.domain.transfer import MANIFEST, FileEntry, Manifest

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip knows, on every file: when it was written says nothing about what it holds."""
LEVEL = 6


class Archive:
    """Holds one line in memory at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, compresslevel=LEVEL)
        self.files: dict[str, FileEntry] = {}

    def add(self, name: str, lines: Iterable[str]) -> None:
        digest, rows, size = hashlib.sha256(), 0, 0
        with self._zip.open(_named(name), "w", force_zip64=True) as file:
            for line in lines:
                data = line.encode() + b"\n"
                file.write(data)
                digest.update(data)
                rows, size = rows + 1, size + len(data)
        self.files[name] = FileEntry(rows=rows, bytes=size, sha256=digest.hexdigest())

    def close(self, manifest: Manifest) -> None:
        with self._zip.open(_named(MANIFEST), "w") as file, io.TextIOWrapper(file, "utf-8") as text:
            text.write(manifest.model_dump_json(indent=2) + "\n")
        self._zip.close()


def _named(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
