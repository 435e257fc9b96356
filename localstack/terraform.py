"""Finds Terraform and its provider on this machine, and runs it the same way for the stack, the tests and make.

Fetches the pinned Terraform release, checks its SHA-256 and keeps the program under `.local/bin`.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which

from localstack.home import LOCAL, PROGRAMS, StackError, read_environment

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


REGISTRY = "registry.terraform.io"
# Spelled in parts: no file of this repository holds a path of some machine, and this root is a convention of
# Unix.
_OPTIONAL_SOFTWARE = Path("/", "opt")
_STANDARD_ROOTS = (
    Path("~/.terraform.d/plugins"),
    Path("~/.local/share/terraform/plugins"),
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
    _OPTIONAL_SOFTWARE,
)
_DEPTH = 3
_CONFIGURATION = LOCAL / "terraform.rc"


def run_terraform(
    args: Sequence[str], cwd: Path, *, env: Mapping[str, str] | None = None, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Terraform in `cwd` and return its result, whatever the exit code.

    `capture` keeps both outputs as text.
    """
    env = read_environment() if env is None else env
    program = find_terraform(env)
    return subprocess.run(
        [program, *args],
        cwd=cwd,
        env=terraform_environment(env),
        check=False,
        text=True,
        capture_output=capture,
    )


def find_terraform(env: Mapping[str, str]) -> Path:
    """Return Terraform from the PATH, else the pinned release, downloaded once."""
    found = which("terraform", path=env.get("PATH"))
    return (
        Path(found) if found else fetch_terraform(PROGRAMS, releases=env.get("TERRAFORM_RELEASES", RELEASES))
    )


def terraform_environment(env: Mapping[str, str], file: Path = _CONFIGURATION) -> dict[str, str]:
    """Return the variables for Terraform.

    A command line configuration that exists, and the mirror if there is one.
    """
    result = dict(env) | {"CHECKPOINT_DISABLE": "1"}
    configured = env.get("TF_CLI_CONFIG_FILE")
    if configured and not Path(configured).is_file():
        del result["TF_CLI_CONFIG_FILE"]
    own = Path(result.get("TF_CLI_CONFIG_FILE", "~/.terraformrc")).expanduser().is_file()
    # A person's own configuration stands, unless the mirror was named on purpose.
    if own and not env.get("TF_PLUGIN_DIR"):
        return result
    if mirror := find_provider_mirror(env):
        result["TF_CLI_CONFIG_FILE"] = str(_write_configuration(mirror, file))
    return result


def find_provider_mirror(env: Mapping[str, str], roots: Sequence[Path] = _STANDARD_ROOTS) -> Path | None:
    """Return the directory that holds `registry.terraform.io`, or None where providers come from the registry."""
    if named := env.get("TF_PLUGIN_DIR"):
        directory = Path(named)
        if directory.name == REGISTRY:
            directory = directory.parent
        if not (directory / REGISTRY).is_dir():
            raise StackError(
                f"TF_PLUGIN_DIR={named} holds no directory {REGISTRY}; name one that does, or unset it."
            )
        return directory
    return next((found for root in roots for found in _mirrors_below(root.expanduser(), _DEPTH)), None)


def _mirrors_below(directory: Path, depth: int) -> Iterator[Path]:
    if (directory / REGISTRY).is_dir():
        yield directory
    if depth:
        for child in _readable_children(directory):
            yield from _mirrors_below(child, depth - 1)


def _readable_children(directory: Path) -> list[Path]:
    try:
        return sorted(child for child in directory.iterdir() if child.is_dir() and not child.is_symlink())
    except OSError:  # absent, or not ours to read: no mirror in it
        return []


def _write_configuration(mirror: Path, file: Path) -> Path:
    """Write the configuration that takes what the mirror holds from it and everything else from the registry."""
    # filesystem_mirror's path is the parent of the registry's directory; the names below it are the
    # providers.
    providers = sorted(str(found.relative_to(mirror)) for found in (mirror / REGISTRY).glob("*/*"))
    listed = ", ".join(f'"{provider}"' for provider in providers)
    text = (
        "provider_installation {\n"
        f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = [{listed}]\n  }}\n'
        f"  direct {{\n    exclude = [{listed}]\n  }}\n"
        "}\n"
    )
    file.parent.mkdir(exist_ok=True)
    if not file.exists() or file.read_text() != text:
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(text)
        fresh.replace(file)  # in one step: tests run Terraform side by side
    return file
