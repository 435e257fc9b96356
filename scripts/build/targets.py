"""The machines a build is for: AWS Lambda, or this one, where the local stack runs the same zips."""

import sys
import sysconfig
from dataclasses import dataclass


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
