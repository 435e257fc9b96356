"""Parts of the export file, a zip of JSON lines whose directory is in the last part."""

import hashlib
import io
from collections.abc import Iterable, Sequence
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from membus.transfer.model import MANIFEST, FilePiece, Manifest

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest moment of a zip, on every file: when it was written says nothing about what it holds."""
LEVEL = 6
MIB = 1 << 20
PART_BYTES_MIN, PART_BYTES_MAX, PARTS_SMALL = 6 * MIB, 64 * MIB, 500
"""S3 takes 10,000 parts of 5 MiB or more: parts that grow with what lies before them hold half a terabyte."""


class ZipPart:
    """The bytes of the zip after the first `start` ones, at least `part_bytes`; only these are in memory."""

    def __init__(self, start: int, part_bytes: int = PART_BYTES_MIN) -> None:
        self._start, self._part_bytes, self._file = start, part_bytes, _OffsetFile(start)
        self._zip = ZipFile(self._file, "w", ZIP_DEFLATED, compresslevel=LEVEL)
        self.pieces: list[FilePiece] = []

    @property
    def is_full(self) -> bool:
        size = min(PART_BYTES_MAX, max(self._part_bytes, self._start // PARTS_SMALL))
        return self._file.tell() - self._start >= size

    def add_file(self, name: str, lines: Iterable[str]) -> None:
        digest, rows, size = hashlib.sha256(), 0, 0
        info = _zip_info(name)
        with self._zip.open(info, "w", force_zip64=True) as file:
            for line in lines:
                data = line.encode() + b"\n"
                file.write(data)
                digest.update(data)
                rows, size = rows + 1, size + len(data)
        self.pieces.append(
            FilePiece(
                rows=rows,
                bytes=size,
                sha256=digest.hexdigest(),
                name=name,
                crc=info.CRC,
                packed=info.compress_size,
                offset=info.header_offset,
            )
        )

    def read_bytes(self) -> bytes:
        """Return the bytes of a part that is not the last."""
        end = self._file.tell()
        self._zip.close()
        return self._file.getvalue()[: end - self._start]

    def close_with_manifest(self, manifest: Manifest, before: Sequence[FilePiece]) -> bytes:
        """Return the bytes of the last part, with the manifest and the directory of all pieces."""
        self._zip.infolist()[:0] = [_piece_info(piece) for piece in before]
        self._zip.writestr(_zip_info(MANIFEST), manifest.model_dump_json(indent=2) + "\n")
        self._zip.close()
        return self._file.getvalue()


class _OffsetFile(io.BytesIO):
    """A file whose first `start` bytes are elsewhere."""

    def __init__(self, start: int) -> None:
        super().__init__()
        self._start = start

    def tell(self) -> int:
        return self._start + super().tell()

    def seek(self, place: int, whence: int = io.SEEK_SET, /) -> int:
        return self._start + super().seek(place - self._start if whence == io.SEEK_SET else place, whence)


def _zip_info(name: str) -> ZipInfo:
    info = ZipInfo(name, EPOCH)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def _piece_info(piece: FilePiece) -> ZipInfo:
    info = _zip_info(piece.name)
    info.CRC, info.compress_size, info.file_size = piece.crc, piece.packed, piece.bytes
    info.header_offset = piece.offset
    return info
