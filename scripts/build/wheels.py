"""The locked wheels of a target: installed into a folder, and told apart by file name and hash."""

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from uv import find_uv_bin

from scripts.build import BuildError
from scripts.build.targets import BuildTarget


@dataclass(frozen=True)
class Wheel:
    """One locked package as the target gets it."""

    name: str
    version: str
    file: str
    sha256: str


def install(requirements: Path, target: BuildTarget, folder: Path) -> None:
    """Install the locked wheels into the folder, bytecode included where the target wants it."""
    _uv("install", requirements, target, "--require-hashes", "--target", str(folder))
    if target.compiled:
        # In a process of its own and in order, so that the same sources give the same bytecode;
        # unchecked, since nothing edits a zip. A template that is no valid Python is not an error.
        flags = ["-q", "-q", "-s", str(folder), "--invalidation-mode", "unchecked-hash"]
        subprocess.run([sys.executable, "-I", "-S", "-m", "compileall", *flags, str(folder)], check=False)


def chosen_wheels(requirements: Path, target: BuildTarget) -> list[Wheel]:
    """Which wheel of each locked package the target gets; the lock itself names those of every platform."""
    answer = _uv("compile", requirements, target, "--format", "pylock.toml")
    return [
        Wheel(
            name=package["name"],
            version=package["version"],
            file=PurePosixPath(wheel.get("url") or wheel["path"]).name,
            sha256=wheel["hashes"]["sha256"],
        )
        for package in tomllib.loads(answer)["packages"]
        for wheel in package["wheels"]
    ]


def _uv(verb: str, requirements: Path, target: BuildTarget, *options: str) -> str:
    # Nothing is built from source, so uv need not download the target's Python to build with.
    rules = ["--quiet", "--no-python-downloads", "--no-deps", "--only-binary", ":all:"]
    source = ["--requirements", str(requirements)] if verb == "install" else [str(requirements)]
    command = [find_uv_bin(), "pip", verb, *rules, *target.options, *options, *source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(_advice(requirements, target, done.stderr.strip()))
    return done.stdout


def _advice(requirements: Path, target: BuildTarget, reason: str) -> str:
    return f"""the packages of {requirements.name} cannot be had for {target.label}:

{reason}

Each needs a wheel (nothing is compiled here) whose hash is in {requirements.name}.
- No wheel for the platform: pin a version that has one in {requirements.stem}.in, then `make lock`.
- The package index cannot be reached: name a mirror in UV_DEFAULT_INDEX, or a folder of wheels in
  UV_FIND_LINKS, filled elsewhere by `pip download --require-hashes -r {requirements.name}` with
  `--only-binary :all:` and that platform.
- The hash differs: the file is not the one that was locked; do not build from it."""
