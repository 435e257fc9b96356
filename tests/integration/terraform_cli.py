"""Runs Terraform for tests.

Without credentials, in a work directory of its own, with one provider for all runs.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from localstack.home import LOCAL, REPOSITORY, read_environment
from localstack.terraform import run_terraform

TERRAFORM = REPOSITORY / "terraform"
# Kept, so that a machine without a mirror downloads the provider once, and apart from a person's own
# `.terraform`.
_WORK = LOCAL / "terraform-tests"
_PROVIDERS = _WORK / "providers"
_ADDRESS = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


def succeed(args: Sequence[str], root: Path, *, env: Mapping[str, str] | None = None) -> None:
    """Run Terraform in `root` and fail with all it said unless it succeeds."""
    own = bare_environment() | {"TF_DATA_DIR": str(_data(root)), **(env or {})}
    done = run_terraform([*args, "-no-color"], root, env=own, capture=True)
    assert done.returncode == 0, f"terraform {' '.join(args)}\n{done.stdout}{done.stderr}"


def bare_environment() -> dict[str, str]:
    """Return this process's environment without credentials and variables of Terraform."""
    return {
        name: value for name, value in read_environment().items() if not name.startswith(("AWS_", "TF_VAR_"))
    }


def run_in(folder: Path, *args: str, env: Mapping[str, str]) -> str:
    """Run Terraform in a folder outside the checkout and return what it prints; fail unless it succeeds."""
    done = run_terraform([*args, "-no-color"], folder, env=env, capture=True)
    assert done.returncode == 0, f"terraform {' '.join(args)}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def running_provider() -> Iterator[dict[str, str]]:
    """Start the provider once and yield the variables by which Terraform finds it.

    Left to itself Terraform starts it nine times for a module with two tests, a second each.
    """
    (program,) = _PROVIDERS.glob("registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*")
    with subprocess.Popen(
        [program, "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield {
                "TF_REATTACH_PROVIDERS": next(
                    found[1] for line in process.stdout if (found := _ADDRESS.search(line))
                )
            }
        finally:
            process.terminate()


def _data(root: Path) -> Path:
    """Return where Terraform keeps what it needs for `root`; all roots share one copy of the provider."""
    own = _WORK / "roots" / root.relative_to(TERRAFORM)
    for folder in (_PROVIDERS, own):
        folder.mkdir(parents=True, exist_ok=True)
    providers = own / "providers"
    if not providers.is_symlink():
        providers.symlink_to(_PROVIDERS)
    return own
