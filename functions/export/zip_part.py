"""The archive, part by part: a zip of JSON lines, of which the last part has the directory."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from membus.transfer.model import MANIFEST, FileEntry, FilePiece, Manifest

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip knows, on every file: when it was written says nothing about what it holds."""
LEVEL = 6
MIB = 1 << 20
PART_BYTES_MIN, PART_BYTES_MAX, PARTS_SMALL = 6 * MIB, 64 * MIB, 500
"""S3 takes 10,000 parts of 5 MiB or more: parts that grow with what lies before them hold half a terabyte."""


class ZipPart:
    """Bytes that follow `start` others; only these lie in memory."""

    def __init__(self, start: int) -> None:
        self._start, self._file = start, _OffsetFile(start)
        self._zip = ZipFile(self._file, "w", ZIP_DEFLATED, compresslevel=LEVEL)
        self.pieces: list[FilePiece] = []

    @property
    def is_full(self) -> bool:
        return self._file.tell() - self._start >= min(
            PART_BYTES_MAX, max(PART_BYTES_MIN, self._start // PARTS_SMALL)
        )

    def add(self, name: str, lines: Iterable[str]) -> None:
        written = _LineCounter()
        info = _named(name)
        with self._zip.open(info, "w", force_zip64=True) as file:
            for line in lines:
                data = line.encode() + b"\n"
                file.write(data)
                written.count(data)
        self.pieces.append(
            FilePiece(
                **written.entry().model_dump(),
                name=name,
                crc=info.CRC,
                packed=info.compress_size,
                offset=info.header_offset,
            )
        )

    def more(self) -> bytes:
        """Return the bytes of a part that others follow."""
        end = self._file.tell()
        self._zip.close()
        return self._file.getvalue()[: end - self._start]

    def last(self, manifest: Manifest, before: Sequence[FilePiece]) -> bytes:
        """Return the bytes of the last part, with the manifest and where in the zip everything lies."""
        self._zip.infolist()[:0] = [_entry_of_piece(piece) for piece in before]
        self._zip.writestr(_named(MANIFEST), manifest.model_dump_json(indent=2) + "\n")
        self._zip.close()
        return self._file.getvalue()


class _LineCounter:
    def __init__(self) -> None:
        self._digest, self._rows, self._bytes = hashlib.sha256(), 0, 0

    def count(self, line: bytes) -> None:
        self._digest.update(line)
        self._rows, self._bytes = self._rows + 1, self._bytes + len(line)

    def entry(self) -> FileEntry:
        return FileEntry(rows=self._rows, bytes=self._bytes, sha256=self._digest.hexdigest())


class _OffsetFile(io.BytesIO):
    """A file of which only what lies behind `start` is there."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def tell(self) -> int:
        return self._start + super().tell()

    def seek(self, place: int, whence: int = io.SEEK_SET, /) -> int:
        return self._start + super().seek(place - self._start if whence == io.SEEK_SET else place, whence)


def _named(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _entry_of_piece(piece: FilePiece) -> ZipInfo:
    info = _named(piece.name)
    info.CRC, info.compress_size, info.file_size = piece.crc, piece.packed, piece.bytes
    info.header_offset = piece.offset
    return info
