"""`make lock`.

Requirements/*.in, written by hand, become *.txt with every version and hash, and no index named.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

FOLDER = Path(__file__).resolve().parents[1] / "requirements"

# In this order: the development environment takes the layer's versions, so that tests run what is deployed.
LOCKS: dict[str, tuple[str, ...]] = {
    "bootstrap": (),
    "layer": (),
    "duckdb": (),
    "minilm": ("--no-deps",),
    "emulator": (),
    "dev": ("--constraints", "requirements/layer.txt"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.lock", description=__doc__)
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that the .in files allow"
    )
    upgrade = ("--upgrade",) if parser.parse_args().upgrade else ()
    unknown = sorted({path.stem for path in FOLDER.glob("*.in")} ^ LOCKS.keys())
    if unknown:
        sys.exit(f"lock: scripts/lock.py and requirements/*.in disagree about {', '.join(unknown)}")
    for name, options in LOCKS.items():
        compile_lock(name, *options, *upgrade)
        print(f"requirements/{name}.txt")


def compile_lock(name: str, *options: str) -> None:
    rules = ["--quiet", "--generate-hashes", "--no-emit-index-url", "--no-header"]
    python = ["--no-python-downloads", "--python-version", "3.11", "--universal"]
    files = [f"requirements/{name}.in", "--output-file", f"requirements/{name}.txt"]
    command = [find_uv_bin(), "pip", "compile", *rules, *python, *options, *files]
    if subprocess.run(command, cwd=FOLDER.parent, check=False).returncode:
        sys.exit(f"lock: requirements/{name}.in cannot be locked (uv says why above)")


if __name__ == "__main__":
    main()
