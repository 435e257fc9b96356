"""The locked wheels of a target: their choice, their installation, and their files that are shipped."""

import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from uv import find_uv_bin

from scripts.build import BuildError

# What pip and uv write down of an installation; it differs between machines and nothing reads it in a layer.
INSTALL_NOTES = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
FOLDERS = frozenset({"bin", "examples", "test", "tests"})
SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".rst"})


@dataclass(frozen=True)
class BuildTarget:
    """The machine of a build: `options` choose the wheels, `compiled` ships bytecode beside the source."""

    name: str
    label: str
    options: tuple[str, ...]
    compiled: bool


# python3.13 on arm64 is Amazon Linux 2023 (glibc 2.34); psycopg-binary starts at manylinux_2_27, so the
# older manylinux2014 would leave it out. No bytecode: only the Python that runs it could compile it.
LAMBDA = BuildTarget(
    name="lambda",
    label="AWS Lambda, arm64, Python 3.13",
    options=("--python-platform", "aarch64-manylinux_2_28", "--python-version", "3.13"),
    compiled=False,
)
HOST = BuildTarget(
    name="host",
    label=f"this machine, {sysconfig.get_platform()}, Python {sys.version.split()[0]}",
    options=("--python", sys.executable),
    compiled=True,
)
TARGETS = {target.name: target for target in (LAMBDA, HOST)}


@dataclass(frozen=True)
class Wheel:
    """One locked package as the target gets it."""

    name: str
    version: str
    file: str
    sha256: str


def install(requirements: Path, target: BuildTarget, folder: Path) -> None:
    """Install the locked wheels into the folder, with bytecode if the target wants it."""
    _uv("install", requirements, target, "--require-hashes", "--target", str(folder))
    if target.compiled:
        # In a process of its own and in order, so that the same sources give the same bytecode;
        # unchecked, since nothing edits a zip. A template that is no valid Python is not an error.
        flags = ["-q", "-q", "-s", str(folder), "--invalidation-mode", "unchecked-hash"]
        subprocess.run([sys.executable, "-I", "-S", "-m", "compileall", *flags, str(folder)], check=False)


def chosen_wheels(requirements: Path, target: BuildTarget) -> list[Wheel]:
    """Return the wheel that the target gets of each locked package."""
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
    return f"""the packages of {requirements.name} are not available for {target.label}:

{reason}

Each needs a wheel (nothing is compiled here) whose hash is in {requirements.name}.
- No wheel for the platform: pin a version that has one in {requirements.stem}.in, then `make lock`.
- The package index cannot be reached: name a mirror in UV_DEFAULT_INDEX, or a folder of wheels in
  UV_FIND_LINKS, filled elsewhere by `pip download --require-hashes -r {requirements.name}` with
  `--only-binary :all:` and that platform.
- The hash differs: the file is not the one that was locked; do not build from it."""


def listed_services(listing: Path) -> frozenset[str]:
    """Return the AWS services that functions call, by their botocore names."""
    lines = (line.split("#")[0].strip() for line in listing.read_text().splitlines())
    return frozenset(line for line in lines if line)


def trim(folder: Path, *, services: AbstractSet[str], prefix: str) -> dict[str, bytes]:
    """Return the files that a function needs, by their names in a zip.

    Tests, stubs, commands and the data of services that it never calls are left out.
    """
    names = {path: PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*")}
    return {
        f"{prefix}/{name}": path.read_bytes()
        for path, name in names.items()
        if path.is_file() and _is_runtime(name) and _is_called(name, services)
    }


def _is_runtime(name: PurePosixPath) -> bool:
    if name.parent.suffix == ".dist-info":
        return name.name not in INSTALL_NOTES
    package = name.parts[0]
    return not (
        package.startswith(".")
        or package.endswith("-stubs")
        or FOLDERS & set(name.parts[:-1])
        or name.suffix in SUFFIXES
    )


def _is_called(name: PurePosixPath, services: AbstractSet[str]) -> bool:
    match name.parts:
        case ("botocore" | "boto3", "data", service, _, *rest):
            return service in services and not (rest and rest[0].startswith("examples-"))
        case ("stdnum", folder, _, *_):
            return folder == "iso7064"  # the other folders are the numbers of one country each
        case ("stdnum", file):
            return not file.endswith(".dat")  # lists of registries: phone networks, cards of one maker
        case _:
            return True
