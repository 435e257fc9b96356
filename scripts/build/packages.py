"""The locked wheels of a target: installed into a folder, and told apart by file name and hash.

What of an installed package a function needs.

Not tests, stubs, commands, or data of services it never calls.

The machines a build is for: AWS Lambda, or this one, where the local stack runs the same zips.

The CycloneDX bill of materials of a layer: every package with version, purl, file hash and licence.
"""

import json
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id, is_expression
from packageurl import PackageURL
from uv import find_uv_bin

from scripts.build import BuildError


@dataclass(frozen=True)
class BuildTarget:
    """`options` tell uv which wheels to take; `compiled` ships the packages' bytecode beside their source."""

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


# What pip and uv note down of an installation; it differs between machines and nothing reads it in a layer.
INSTALL_NOTES = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
FOLDERS = frozenset({"bin", "examples", "test", "tests"})
SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".rst"})


def listed_services(listing: Path) -> frozenset[str]:
    """The services of the one list, by their botocore names."""
    lines = (line.split("#")[0].strip() for line in listing.read_text().splitlines())
    return frozenset(line for line in lines if line)


def trim(folder: Path, *, services: AbstractSet[str], prefix: str) -> dict[str, bytes]:
    """The files worth shipping, by their name in a zip."""
    names = {path: PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*")}
    rules: list[Callable[[PurePosixPath], bool]] = [_is_runtime, lambda name: _is_called(name, services)]
    return {
        f"{prefix}/{name}": path.read_bytes()
        for path, name in names.items()
        if path.is_file() and all(rule(name) for rule in rules)
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


CLASSIFIER = "License :: OSI Approved :: "


def bill_of_materials(layer: str, wheels: list[Wheel], installed: Path) -> str:
    """The SBOM as JSON; the same wheels give the same text, so it carries no time and no random number."""
    licences = {_plain(found.name): _licences(found) for found in distributions(path=[str(installed)])}
    root = Component(name=f"membus-layer-{layer}", type=ComponentType.APPLICATION, bom_ref=layer)
    components = [_component(wheel, licences.get(_plain(wheel.name), [])) for wheel in wheels]
    bom = Bom(
        components=components,
        metadata=BomMetaData(component=root, timestamp=datetime.fromtimestamp(0, UTC)),
        serial_number=uuid5(NAMESPACE_URL, "".join(sorted(wheel.sha256 for wheel in wheels))),
    )
    bom.register_dependency(root, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]  # the standard lets it out, the library does not
    return json.dumps(document, indent=2) + "\n"


def _component(wheel: Wheel, licences: list[License]) -> Component:
    purl = PackageURL("pypi", name=_plain(wheel.name), version=wheel.version)
    return Component(
        name=wheel.name,
        version=wheel.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=licences,
        properties=[Property(name="membus:wheel", value=wheel.file)],
    )


def _licences(package: Distribution) -> list[License]:
    """The licences as the package states them.

    One that SPDX knows, else its classifiers, else its own words.
    """
    metadata, spdx = package.metadata.json, LicenseFactory()
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    classifiers = [line for line in metadata.get("classifier", []) if line.startswith(CLASSIFIER)]
    if stated and (fixup_id(stated) or is_expression(stated) or not classifiers):
        return [spdx.make_from_string(stated)]
    return [spdx.make_from_string(line.removeprefix(CLASSIFIER)) for line in classifiers]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
