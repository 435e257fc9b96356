"""localstack.terraform: the mirror of the provider, and the configuration of Terraform."""

from pathlib import Path

import pytest

from localstack.home import StackError
from localstack.terraform import find_provider_mirror, terraform_environment


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    plugins = tmp_path / "optional" / "plugins"
    (plugins / "registry.terraform.io" / "hashicorp" / "aws").mkdir(parents=True)
    return plugins


def test_the_mirror_is_the_parent_of_the_registrys_directory(tmp_path: Path, mirror: Path) -> None:
    assert find_provider_mirror({}, roots=[tmp_path / "absent", tmp_path]) == mirror


def test_a_named_mirror_precedes_the_usual_places(tmp_path: Path, mirror: Path) -> None:
    usual = tmp_path / "usual"
    (usual / "registry.terraform.io").mkdir(parents=True)

    assert find_provider_mirror({"TF_PLUGIN_DIR": str(mirror)}, roots=[usual]) == mirror


def test_a_mirror_may_be_named_by_its_registry_directory(mirror: Path) -> None:
    assert find_provider_mirror({"TF_PLUGIN_DIR": str(mirror / "registry.terraform.io")}) == mirror


def test_a_named_directory_without_registry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"TF_PLUGIN_DIR=.*registry\.terraform\.io"):
        find_provider_mirror({"TF_PLUGIN_DIR": str(tmp_path)})


def test_without_a_mirror_the_registry_is_used(tmp_path: Path) -> None:
    assert find_provider_mirror({}, roots=[tmp_path]) is None


def test_the_configuration_includes_only_what_the_mirror_has(mirror: Path, tmp_path: Path) -> None:
    env = terraform_environment({"TF_PLUGIN_DIR": str(mirror)}, tmp_path / "terraform.rc")

    written = Path(env["TF_CLI_CONFIG_FILE"]).read_text()

    assert f'path    = "{mirror}"' in written
    assert written.count('["registry.terraform.io/hashicorp/aws"]') == 2


def test_a_missing_configuration_file_is_not_passed_on(tmp_path: Path) -> None:
    missing = str(tmp_path / "terraformrc")

    env = terraform_environment({"TF_CLI_CONFIG_FILE": missing}, tmp_path / "terraform.rc")

    assert env.get("TF_CLI_CONFIG_FILE") != missing


def test_a_personal_configuration_is_kept(tmp_path: Path) -> None:
    own = tmp_path / "terraformrc"
    own.touch()

    assert terraform_environment({"TF_CLI_CONFIG_FILE": str(own)})["TF_CLI_CONFIG_FILE"] == str(own)
