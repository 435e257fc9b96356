"""Says whether what is deployed is still what the sources would deploy, by a hash instead of a build and a plan."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from localstack.paths import REPOSITORY

_SOURCES = {
    "functions": "*",
    "layers": "*",
    "scripts/build": "*.py",
    "requirements": "*.txt",
    "terraform": "*.tf",
}
_NOT_SOURCES = {"__pycache__", ".terraform", "tests"}


def fingerprint(settings: Mapping[str, object], root: Path = REPOSITORY) -> str:
    """Return a hash of every source that reaches a deployment, and of the settings it is given."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in _source_files(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for folder, pattern in _SOURCES.items():
        for file in sorted((root / folder).rglob(pattern)):
            if file.is_file() and not _NOT_SOURCES & set(file.relative_to(root).parts):
                yield file
