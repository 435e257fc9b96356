"""terraform/.

Every module and environment is valid, formatted and does what its own tests say, without a cloud.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.terraform_cli import TERRAFORM, running_provider, succeed

BOOTSTRAP = TERRAFORM / "bootstrap"
MODULES = sorted(path.parent for path in TERRAFORM.glob("modules/*/main.tf"))
ENVIRONMENTS = sorted(path.parent for path in TERRAFORM.glob("environments/*/main.tf"))


@pytest.fixture(scope="module")
def provider() -> Iterator[dict[str, str]]:
    succeed(["init", "-backend=false", "-input=false", "-lockfile=readonly"], BOOTSTRAP)
    with running_provider() as variables:
        yield variables


def test_every_file_is_formatted() -> None:
    succeed(["fmt", "-check", "-recursive", "-diff"], TERRAFORM)


@pytest.mark.parametrize("module", [*MODULES, BOOTSTRAP], ids=lambda path: path.name)
def test_a_module_is_valid_and_does_what_its_own_tests_say(module: Path, provider: dict[str, str]) -> None:
    succeed(["init", "-backend=false", "-input=false"], module, env=provider)
    succeed(["validate"], module, env=provider)
    succeed(["test"], module, env=provider)


@pytest.mark.parametrize("root", [*ENVIRONMENTS, BOOTSTRAP], ids=lambda path: path.name)
def test_an_environment_is_valid_with_the_provider_that_its_lock_names(root: Path) -> None:
    succeed(["init", "-backend=false", "-input=false", "-lockfile=readonly"], root)
    succeed(["validate"], root)
