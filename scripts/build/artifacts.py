"""Artifacts are remade only when their inputs changed, appear whole or not at all, and by one build at a time."""

import fcntl
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


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
