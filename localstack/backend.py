"""The S3 backend of an environment on AWS: whether it is configured, and `terraform init` with its values."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localstack.home import REPOSITORY, StackError
from localstack.terraform import run_terraform

_BOOTSTRAP = Path("terraform", "bootstrap")
_ENVIRONMENTS = Path("terraform", "environments")
_STATE = "terraform.tfstate"
_TERRAFORM = ".venv/bin/python -m localstack terraform"


def require_backend(name: str, env: Mapping[str, str], root: Path = REPOSITORY) -> None:
    """Check that `terraform init` has given environment `name` its state bucket.

    Raises:
        StackError: it has not, or `name` is no environment on AWS; names the command to run.
    """
    folder = _find_environment(name, root)
    # The file in which Terraform records the backend of its last `init`.
    configured = _read_json(folder / env.get("TF_DATA_DIR", ".terraform") / _STATE).get("backend") or {}
    if configured.get("type") != "s3" or not configured.get("config", {}).get("bucket"):
        raise StackError(f"Environment {name} has no backend yet: run `make init ENV={name}` first.")


def init_backend(name: str, env: Mapping[str, str], root: Path = REPOSITORY) -> int:
    """Run `terraform init` with the bucket and the KMS key of bootstrap; return its exit code.

    Raises:
        StackError: bootstrap has no state on this machine; says how to make or to name the bucket.
    """
    folder = _find_environment(name, root)
    values = _read_json(root / _BOOTSTRAP / _STATE).get("outputs", {}).get("backend", {}).get("value", "")
    if not values:
        raise StackError(_without_bootstrap(name))
    return run_terraform(
        ["init", *(f"-backend-config={line}" for line in values.split())], folder, env=env
    ).returncode


def _find_environment(name: str, root: Path) -> Path:
    folders = sorted(path.parent for path in (root / _ENVIRONMENTS).glob("*/terraform.tf"))
    on_aws = {
        folder.name: folder for folder in folders if 'backend "s3"' in (folder / "terraform.tf").read_text()
    }
    if name in on_aws:
        return on_aws[name]
    known = ", ".join(f"ENV={each}" for each in on_aws)
    hint = " `make up` deploys the local stack." if any(folder.name == name for folder in folders) else ""
    raise StackError(f"{name!r} is no environment on AWS: use {known}.{hint}")


def _read_json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return content


def _without_bootstrap(name: str) -> str:
    return "\n".join(
        (
            f"{_BOOTSTRAP} has no state on this machine, so the bucket for the state of {name} is not known.",
            "If the account has no such bucket yet, make it, once:",
            f"  {_TERRAFORM} -chdir={_BOOTSTRAP} init",
            f"  {_TERRAFORM} -chdir={_BOOTSTRAP} apply -var account_id=<12 digits>",
            "If it has one, name the bucket and its KMS key:",
            f"  {_TERRAFORM} -chdir={_ENVIRONMENTS / name} init \\",
            "    -backend-config=bucket=membus-state-<12 digits> -backend-config=kms_key_id=<ARN>",
        )
    )
