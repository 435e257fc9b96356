"""Finds Terraform and its provider on this machine, and runs it the same way for the stack, the tests and make."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which

from localstack.download import RELEASES, fetch_terraform
from localstack.errors import StackError
from localstack.paths import LOCAL, PROGRAMS
from localstack.settings import read_environment

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
