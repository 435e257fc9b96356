"""Zips whose bytes depend on their contents alone: sorted names, one time, one mode, one compression.

Artifacts are remade only when their inputs changed, appear whole or not at all, and by one build at a time.

What each zip weighs against what it may weigh, so that growth is a decision and not an accident.
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


def fingerprint(*parts: str | bytes | Mapping[str, bytes]) -> str:
    """SHA-256 over texts, contents, and trees (name in the archive → content)."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in _bytes_of(part):
            digest.update(hashlib.sha256(piece).digest())
    return digest.hexdigest()


def _bytes_of(part: str | bytes | Mapping[str, bytes]) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif isinstance(part, bytes):
        yield part
    else:
        for name, content in sorted(part.items()):
            yield name.encode()
            yield content


def remake(artifact: Path, *, inputs: str, write: Callable[[Path], object]) -> bool:
    """Have `write` make the artifact anew unless this very file was made of these inputs.

    Say whether it did.
    """
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
    """Hold the folder against a second build; the system lets go when the process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"another build of {folder} is under way, waiting for it", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


MB = 2**20  # as Lambda counts
# Unzipped. Lambda refuses a function that weighs more than 250 MB with its layers; a layer's budget is
# about a tenth above its weight of today (45 and 64 MB), so that one more package is noticed. On a
# developer's machine bytecode and that platform's own libraries come on top.
WHOLE = 250.0
FUNCTION_BUDGET = 0.5  # our own source alone: more means that somebody packed a dependency
LAYER_BUDGETS = {"lambda": {"membus": 48.0, "duckdb": 70.0}, "host": {"membus": 75.0, "duckdb": 90.0}}
ZIPPED = 50.0  # Lambda takes a larger upload only by way of S3


@dataclass(frozen=True)
class ZipSize:
    name: str
    zipped: float
    unzipped: float
    budget: float

    def __str__(self) -> str:
        return f"{self.name:<28} {self.zipped:>8.3f} {self.unzipped:>9.3f} {self.budget:>7.1f}"

    def excess_bytes(self) -> str | None:
        if self.unzipped > self.budget:
            return f"{self.name} weighs {self.unzipped:.2f} MB unzipped, its budget is {self.budget:.1f} MB"
        if self.zipped > ZIPPED:
            return f"{self.name} weighs {self.zipped:.2f} MB zipped, Lambda's direct upload ends at {ZIPPED:.0f} MB"
        return None


def measure_sizes(out: Path) -> list[ZipSize]:
    """Each zip of a target, then the most that one function can weigh with every layer."""
    functions = [_measure(path, FUNCTION_BUDGET) for path in sorted((out / "functions").glob("*.zip"))]
    layers = [
        _measure(out / "layers" / f"{name}.zip", budget) for name, budget in LAYER_BUDGETS[out.name].items()
    ]
    heaviest = max((function.unzipped for function in functions), default=0.0)
    whole = heaviest + sum(layer.unzipped for layer in layers)
    zipped = max((function.zipped for function in functions), default=0.0) + sum(
        layer.zipped for layer in layers
    )
    return [*functions, *layers, ZipSize("all layers + one function", zipped, whole, WHOLE)]


def check_budgets(weights: list[ZipSize]) -> None:
    """Raise BuildError naming everything over its budget."""
    if excesses := [excess for weight in weights if (excess := weight.excess_bytes())]:
        raise BuildError(
            "\n".join([*excesses, "drop what is not needed, or raise the budget in the same change"])
        )


def _measure(path: Path, budget: float) -> ZipSize:
    with ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return ZipSize(f"{path.parent.name}/{path.name}", path.stat().st_size / MB, unzipped / MB, budget)
