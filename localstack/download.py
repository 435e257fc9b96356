"""Fetches the pinned Terraform release, checks its SHA-256 and keeps the program under `.local/bin`."""

import hashlib
import platform
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path

from localstack.errors import StackError

VERSION = "1.11.4"
RELEASES = "https://releases.hashicorp.com"
# From the release's own SHA256SUMS; a new version brings four new lines.
SHA256 = {
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
}
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def this_platform() -> str:
    """Return the platform as release archives name it, e.g. `linux_amd64`."""
    return f"{platform.system().lower()}_{_ARCHITECTURES.get(platform.machine().lower(), platform.machine())}"


def fetch_terraform(
    directory: Path, *, releases: str = RELEASES, on: str | None = None, sha256: Mapping[str, str] = SHA256
) -> Path:
    """Return the program in `directory`, downloaded from `releases` unless it is there already."""
    on = on or this_platform()
    program = directory / f"terraform-{VERSION}"
    if program.exists():
        return program
    if on not in sha256:
        raise StackError(f"No Terraform release is pinned for {on}. {_by_hand()}")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        archive = Path(scratch) / "terraform.zip"
        _download(f"{releases}/terraform/{VERSION}/terraform_{VERSION}_{on}.zip", archive, sha256[on])
        with zipfile.ZipFile(archive) as members:
            unpacked = Path(members.extract("terraform", scratch))
        unpacked.chmod(0o755)
        unpacked.replace(program)
    return program


def _download(url: str, target: Path, expected: str) -> None:
    sys.stderr.write(f"terraform is not on the PATH: downloading {url}\n")
    try:
        with urllib.request.urlopen(url, timeout=60) as response, target.open("wb") as file:  # noqa: S310 - checked below by its hash
            shutil.copyfileobj(response, file)
    except (OSError, urllib.error.URLError) as failure:
        raise StackError(f"Could not get {url} ({failure}). {_by_hand()}") from failure
    actual = hashlib.sha256(target.read_bytes()).hexdigest()
    if actual != expected:
        raise StackError(f"{url} has SHA-256 {actual}, expected {expected}: refused. {_by_hand()}")


def _by_hand() -> str:
    return (
        f"Install Terraform {VERSION} or later and put it on the PATH, "
        "or set TERRAFORM_RELEASES to a mirror of the release site."
    )
