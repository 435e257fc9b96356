"""Finds Terraform and its provider, or fetches the pinned release, and runs it the same way everywhere."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

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
REGISTRY = "registry.terraform.io"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_BY_HAND = (
    f"Install Terraform {VERSION} or later and put it on the PATH, "
    "or set TERRAFORM_RELEASES to a mirror of the release site."
)
_MIRROR_ROOTS = (
    Path("~/.terraform.d/plugins"),
    Path("~/.local/share/terraform/plugins"),
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
    Path("/", "opt"),  # the root of optional software on Unix
)
_MIRROR_DEPTH = 3
_CONFIGURATION = LOCAL / "terraform.rc"


def run_terraform(
    args: Sequence[str], cwd: Path, *, env: Mapping[str, str] | None = None, capture: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Terraform in `cwd` and return its result, whatever the exit code; `capture` keeps both outputs."""
    env = read_environment() if env is None else env
    command, variables = [str(find_terraform(env)), *args], terraform_environment(env)
    return subprocess.run(command, cwd=cwd, env=variables, check=False, text=True, capture_output=capture)


def find_terraform(env: Mapping[str, str]) -> Path:
    """Return Terraform from the PATH, else the pinned release, fetched once."""
    if found := shutil.which("terraform", path=env.get("PATH")):
        return Path(found)
    return fetch_terraform(PROGRAMS, releases=env.get("TERRAFORM_RELEASES", RELEASES))


def fetch_terraform(
    directory: Path, *, releases: str = RELEASES, on: str | None = None, sha256: Mapping[str, str] = SHA256
) -> Path:
    """Return the program in `directory`; download it from `releases` if it is not there."""
    machine = platform.machine().lower()
    on = on or f"{platform.system().lower()}_{_ARCHITECTURES.get(machine, machine)}"
    program = directory / f"terraform-{VERSION}"
    if program.exists():
        return program
    if on not in sha256:
        raise StackError(f"No Terraform release is pinned for {on}. {_BY_HAND}")
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
        with urllib.request.urlopen(url, timeout=60) as response:  # noqa: S310 - the hash is checked below
            target.write_bytes(response.read())
    except OSError as failure:
        raise StackError(f"Could not get {url} ({failure}). {_BY_HAND}") from failure
    actual = hashlib.sha256(target.read_bytes()).hexdigest()
    if actual != expected:
        raise StackError(f"{url} has SHA-256 {actual}, expected {expected}: refused. {_BY_HAND}")


def terraform_environment(env: Mapping[str, str], file: Path = _CONFIGURATION) -> dict[str, str]:
    """Return the variables for Terraform; `file` is written to configure a mirror, if there is one."""
    result = {**env, "CHECKPOINT_DISABLE": "1"}
    configured = env.get("TF_CLI_CONFIG_FILE")
    if configured and not Path(configured).is_file():  # Terraform would stop
        del result["TF_CLI_CONFIG_FILE"]
    own = Path(result.get("TF_CLI_CONFIG_FILE", "~/.terraformrc")).expanduser().is_file()
    # A person's own configuration counts, unless the mirror was named on purpose.
    if own and not env.get("TF_PLUGIN_DIR"):
        return result
    if mirror := find_provider_mirror(env):
        _write_configuration(mirror, file)
        result["TF_CLI_CONFIG_FILE"] = str(file)
    return result


def find_provider_mirror(env: Mapping[str, str], roots: Sequence[Path] = _MIRROR_ROOTS) -> Path | None:
    """Return the directory that holds `registry.terraform.io`; None if the registry gives the providers."""
    if named := env.get("TF_PLUGIN_DIR"):
        directory = Path(named)
        if directory.name == REGISTRY:
            directory = directory.parent
        if not (directory / REGISTRY).is_dir():
            raise StackError(
                f"TF_PLUGIN_DIR={named} holds no directory {REGISTRY}; name one that does, or unset it."
            )
        return directory
    patterns = [f"{'*/' * depth}{REGISTRY}" for depth in range(_MIRROR_DEPTH + 1)]
    found = (
        each for root in roots for pattern in patterns for each in sorted(root.expanduser().glob(pattern))
    )
    return next((each.parent for each in found if each.is_dir()), None)


def _write_configuration(mirror: Path, file: Path) -> None:
    """Configure Terraform to take what the mirror has from it, and everything else from the registry."""
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
        written = file.with_suffix(f".{os.getpid()}")
        written.write_text(text)
        written.replace(file)  # in one step: tests run Terraform side by side
