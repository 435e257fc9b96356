"""Zips whose bytes depend on their contents alone: sorted names, one time, one mode, one compression."""

import shutil
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip can tell
LEVEL = 9
UNIX = 3


def source_tree(folder: Path, *, prefix: str) -> dict[str, bytes]:
    """What the folder holds by its name in a zip, without what Python or an editor left there.

    Read once: what is fingerprinted is what is packed, whoever edits meanwhile.
    """
    names = {path: path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {
        f"{prefix}/{name.as_posix()}": path.read_bytes()
        for path, name in names.items()
        if not any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    }


def write_zip(destination: Path, files: Mapping[str, bytes], *, base: Path | None = None) -> None:
    """Write the files (name → content) after the entries of `base`, which is copied, not compressed anew."""
    if base is not None:
        shutil.copyfile(base, destination)
    with ZipFile(destination, "a" if base else "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for name in sorted(_folders(files) - set(archive.namelist())):
            archive.writestr(_entry(name, stat.S_IFDIR | 0o755), b"")
        for name, content in sorted(files.items()):
            archive.writestr(_entry(name, stat.S_IFREG | 0o644), content)


def _folders(files: Mapping[str, bytes]) -> set[str]:
    # Before Python 3.13 zipimport finds a folder without __init__.py only by an entry of its own.
    return {f"{folder}/" for name in files for folder in PurePosixPath(name).parents if folder.name}


def _entry(name: str, mode: int) -> ZipInfo:
    entry = ZipInfo(name, EPOCH)
    entry.create_system = UNIX
    entry.external_attr = mode << 16
    entry.compress_type = ZIP_DEFLATED
    return entry
