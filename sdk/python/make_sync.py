"""Makes the sync half of the client from its async one: `python sdk/python/make_sync.py`."""

import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent / "src" / "membus_client"
CONFIG = Path(__file__).parents[2] / "pyproject.toml"
FILES = {file.name: file.name.replace("async", "sync") for file in sorted(SOURCE.glob("*async*.py"))}
WORDS = (
    (r"\basync (def|with|for) ", r"\1 "),
    (r"\bawait ", ""),
    (r"\b(?:__aenter__|__aexit__)\b", lambda found: found[0].replace("__a", "__")),
    (r"\baclose\b", "close"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"import asyncio\nimport time\n", "import time\n"),
    (r"import asyncio\nimport json\n", "import json\nimport time\n"),
    (r"websockets\.asyncio\.client", "websockets.sync.client"),
    (r"httpx2\.Async(\w+)", r"httpx2.\1"),
    (r"\b(_chat)?_async(_\w+)?\b", r"\1_sync\2"),
    (r"\bAsync(Membus|Events|User|Facts|Review|Agent|Memories|Conversations|Jobs)\b", r"\1"),
    (r"`\w+\.py` is made from this file by `make_sync\.py`: change this one\.", "Made by `make_sync.py`."),
)


def to_sync(text: str) -> str:
    """Return the sync twin of async source code."""
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return text


def make(folder: Path) -> None:
    """Write the sync files into a folder, sorted and formatted as the repository is."""
    made = [str(folder / name) for name in FILES.values()]
    for source, file in zip(FILES, made, strict=True):
        Path(file).write_text(to_sync((SOURCE / source).read_text(encoding="utf-8")), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for step in (["check", "--select", "I", "--fix"], ["format"]):
        subprocess.run([*ruff, *step, "-q", "--config", str(CONFIG), *made], check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE)
