"""Zips with the same bytes for the same contents, made anew only when their inputs changed.

A zip appears whole or not at all, is made by one build at a time, and has a budget for its size.
"""

import fcntl
import hashlib
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from scripts.build import BuildError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip
LEVEL = 9
UNIX = 3
MB = 2**20  # as Lambda counts
WHOLE = 250.0  # unzipped: Lambda refuses a function that is larger with its layers
ZIPPED = 50.0  # Lambda takes a larger upload only by way of S3
FUNCTION_BUDGET = 0.5  # our own source alone: a larger one has a dependency packed into it
# Unzipped, about a tenth above today's size (45 and 64 MB), so that one more package is noticed. Bytecode and
# the libraries of a developer's platform come on top.
LAYER_BUDGETS = {"lambda": {"membus": 48.0, "duckdb": 70.0}, "host": {"membus": 75.0, "duckdb": 90.0}}


def source_tree(folder: Path, *, prefix: str) -> dict[str, bytes]:
    """Return the files of a folder by their names in a zip, without those of Python's cache or an editor.

    Each file is read once, so that what is fingerprinted is what is packed.
    """
    names = {path: path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {
        f"{prefix}/{name.as_posix()}": path.read_bytes()
        for path, name in names.items()
        if not any(part.startswith(".") or part == "__pycache__" for part in name.parts)
    }


def write_zip(destination: Path, files: Mapping[str, bytes], *, base: Path | None = None) -> None:
    """Write the files by name after the entries of `base`, which is copied and not compressed again."""
    if base is not None:
        shutil.copyfile(base, destination)
    with ZipFile(destination, "a" if base else "w", ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        # Before Python 3.13 zipimport finds a folder without __init__.py only by an entry of its own.
        folders = {f"{folder}/" for name in files for folder in PurePosixPath(name).parents if folder.name}
        for name in sorted(folders - set(archive.namelist())):
            archive.writestr(_entry(name, stat.S_IFDIR | 0o755), b"")
        for name, content in sorted(files.items()):
            archive.writestr(_entry(name, stat.S_IFREG | 0o644), content)


def _entry(name: str, mode: int) -> ZipInfo:
    entry = ZipInfo(name, EPOCH)
    entry.create_system = UNIX
    entry.external_attr = mode << 16
    entry.compress_type = ZIP_DEFLATED
    return entry


def fingerprint(*parts: str | bytes | Mapping[str, bytes]) -> str:
    """Return the SHA-256 of texts, contents, and trees of contents by name."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Mapping):
            pieces = [piece for name, content in sorted(part.items()) for piece in (name.encode(), content)]
        else:
            pieces = [part.encode() if isinstance(part, str) else part]
        for piece in pieces:
            digest.update(hashlib.sha256(piece).digest())
    return digest.hexdigest()


def remake(artifact: Path, *, inputs: str, write: Callable[[Path], object]) -> bool:
    """Let `write` make the artifact unless this very file was made of these inputs; return whether it did."""
    stamp = artifact.with_name(f".{artifact.name}.stamp")
    if stamp.is_file() and artifact.is_file() and stamp.read_text() == _stamp(inputs, artifact):
        return False
    artifact.parent.mkdir(parents=True, exist_ok=True)
    # One build at a time holds the lock, so a partial file found here is a dead build's.
    partial = artifact.with_name(f".{artifact.name}.partial")
    try:
        write(partial)
        text = _stamp(inputs, partial)
        partial.replace(artifact)
    finally:
        partial.unlink(missing_ok=True)
    stamp.write_text(text)
    return True


def _stamp(inputs: str, artifact: Path) -> str:
    return f"made of {inputs}\nis      {hashlib.sha256(artifact.read_bytes()).hexdigest()}\n"


@contextmanager
def only_build(folder: Path) -> Iterator[None]:
    """Hold the folder against a second build; the system releases it when the process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another build of {folder} is under way, waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class ZipSize:
    """Sizes in MB; the budget is one of the unzipped size. A sum of zips is no upload."""

    name: str
    zipped: float
    unzipped: float
    budget: float
    is_upload: bool = True

    def __str__(self) -> str:
        return f"{self.name:<28} {self.zipped:>8.3f} {self.unzipped:>9.3f} {self.budget:>7.1f}"

    def describe_excess(self) -> str | None:
        if self.unzipped > self.budget:
            return f"{self.name} weighs {self.unzipped:.2f} MB unzipped, its budget is {self.budget:.1f} MB"
        if self.is_upload and self.zipped > ZIPPED:
            limit = f"Lambda's direct upload ends at {ZIPPED:.0f} MB"
            return f"{self.name} weighs {self.zipped:.2f} MB zipped, {limit}"
        return None


def measure_sizes(out: Path) -> list[ZipSize]:
    """Return the size of each zip of a target, then the largest size of a function with all layers."""
    functions = [_measure(path, FUNCTION_BUDGET) for path in sorted((out / "functions").glob("*.zip"))]
    budgets = LAYER_BUDGETS[out.name]
    layers = [_measure(out / "layers" / f"{name}.zip", budget) for name, budget in budgets.items()]
    zipped, unzipped = (
        max((getattr(each, size) for each in functions), default=0.0)
        + sum(getattr(each, size) for each in layers)
        for size in ("zipped", "unzipped")
    )
    return [
        *functions,
        *layers,
        ZipSize("all layers + one function", zipped, unzipped, WHOLE, is_upload=False),
    ]


def check_budgets(sizes: list[ZipSize]) -> None:
    """Raise BuildError that names every zip above its budget."""
    if excesses := [excess for size in sizes if (excess := size.describe_excess())]:
        advice = "drop what is not needed, or raise the budget in the same change"
        raise BuildError("\n".join([*excesses, advice]))


def _measure(path: Path, budget: float) -> ZipSize:
    with ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return ZipSize(f"{path.parent.name}/{path.name}", path.stat().st_size / MB, unzipped / MB, budget)
