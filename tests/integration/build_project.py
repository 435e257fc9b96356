"""A source tree small enough to be built many times: one function, two layers of one tiny package each."""

import hashlib
import re
from pathlib import Path

from scripts.build.project import ROOT

FILES = {
    "functions/greet/handler.py": "from membus import word\n\n\ndef handler(event, context):\n    return word\n",
    "functions/greet/reply.json": "{}\n",
    "layers/membus/python/membus/__init__.py": 'word = "hello"\n',
    "requirements/botocore-services.txt": "s3\n",
}


def write_small_project(folder: Path) -> Path:
    locks = {
        "requirements/layer.txt": _locked("six"),
        "requirements/duckdb.txt": _locked("sniffio"),
    }
    for name, text in (FILES | locks).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _locked(package: str) -> str:
    """The package's lines in the layer's own lock, hashes and all."""
    lock = (ROOT / "requirements" / "layer.txt").read_text()
    found = re.search(rf"^{package}==.*(?:\n .*)*\n", lock, re.MULTILINE)
    assert found, f"{package} is not locked"
    return found[0]


def digests(dist: Path) -> dict[str, str]:
    """SHA-256 of every artifact, by its path below `dist`; what the build keeps for itself is hidden."""
    return {
        path.relative_to(dist).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(dist.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(dist).parts)
    }
