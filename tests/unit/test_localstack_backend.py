"""localstack.backend: an environment without its state bucket is refused before anything is built."""

import json
from pathlib import Path

import pytest

from localstack.backend import init_backend, require_backend
from localstack.home import StackError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, backend in (("dev", "s3"), ("local", "local"), ("prod", "s3")):
        folder = tmp_path / "terraform" / "environments" / name
        folder.mkdir(parents=True)
        (folder / "terraform.tf").write_text(f'terraform {{\n  backend "{backend}" {{}}\n}}\n')
    return tmp_path


def configure(root: Path, bucket: str | None, data: str = ".terraform") -> None:
    """Write what `terraform init` leaves behind, with `bucket` for the state."""
    folder = root / "terraform" / "environments" / "dev" / data
    folder.mkdir()
    (folder / "terraform.tfstate").write_text(
        json.dumps({"backend": {"type": "s3", "config": {"bucket": bucket}}})
    )


def test_a_configured_backend_is_accepted(root: Path) -> None:
    configure(root, "membus-state-123456789012")

    require_backend("dev", {}, root)


def test_another_data_directory_of_terraform_is_read(root: Path) -> None:
    configure(root, "membus-state-123456789012", data="mine")

    require_backend("dev", {"TF_DATA_DIR": "mine"}, root)


def test_a_missing_backend_names_the_command(root: Path) -> None:
    with pytest.raises(StackError, match="make init ENV=dev"):
        require_backend("dev", {}, root)


def test_a_backend_without_bucket_names_the_command(root: Path) -> None:
    configure(root, None)

    with pytest.raises(StackError, match="make init ENV=dev"):
        require_backend("dev", {}, root)


def test_an_unknown_environment_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(StackError, match=r"'test' is no environment on AWS: use ENV=dev, ENV=prod\.$"):
        require_backend("test", {}, root)


def test_the_local_environment_names_make_up(root: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        init_backend("local", {}, root)


def test_without_bootstrap_state_both_remedies_are_named(root: Path) -> None:
    with pytest.raises(StackError) as failure:
        init_backend("dev", {}, root)

    assert "-chdir=terraform/bootstrap apply -var account_id=<12 digits>" in str(failure.value)
    assert "-chdir=terraform/environments/dev init" in str(failure.value)


def test_init_passes_the_values_of_bootstrap(root: Path) -> None:
    value = "bucket=membus-state-123456789012\nkms_key_id=arn:aws:kms:us-east-1:123456789012:key/k"
    (root / "terraform" / "bootstrap").mkdir()
    state = root / "terraform" / "bootstrap" / "terraform.tfstate"
    state.write_text(json.dumps({"outputs": {"backend": {"value": value}}}))
    program = root / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > arguments\nexit 3\n')
    program.chmod(0o755)

    code = init_backend("dev", {"PATH": f"{program.parent}:/usr/bin:/bin"}, root)

    given = (root / "terraform" / "environments" / "dev" / "arguments").read_text().split()
    assert (code, given) == (3, ["init", *(f"-backend-config={line}" for line in value.split())])
