"""The TypeScript client without a stack: types, generated file, package, and the tests that Node.js runs."""

import json
import re
from pathlib import Path

import pytest

from tests.support.typescript import CLIENT, GENERATED, TSC, generate_types, node, npm, prepare


@pytest.fixture(scope="module", autouse=True)
def typescript() -> None:
    prepare()


def test_sources_and_tests_keep_their_types() -> None:
    node(TSC, "--project", "tsconfig.check.json")


def test_types_of_the_document_are_generated_without_a_warning(tmp_path: Path) -> None:
    generate_types(tmp_path / "generated.ts")

    assert (tmp_path / "generated.ts").read_text() == GENERATED.read_text(), "run make openapi"


def test_the_clients_own_tests_pass() -> None:
    told = node("--test", "--test-reporter=tap", "test/unit/*.test.ts")

    assert re.search(r"^# pass [1-9]", told, re.MULTILINE), told


def test_the_package_holds_the_build_and_its_types_alone() -> None:
    (package,) = json.loads(npm("pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"))
    names = {file["path"] for file in package["files"]}
    modules = {file.stem for file in (CLIENT / "src").glob("*.ts")}

    assert names == {"package.json", "README.md"} | {
        f"dist/{module}{ending}" for module in modules for ending in (".js", ".d.ts")
    }


def test_the_package_depends_on_one_package_and_the_lock_names_no_host() -> None:
    package = json.loads((CLIENT / "package.json").read_text())
    locked = json.loads((CLIENT / "package-lock.json").read_text())["packages"]

    assert list(package["dependencies"]) == ["openapi-fetch"]
    assert [name for name, each in locked.items() if "resolved" in each] == []
    assert [name for name, each in locked.items() if name and "integrity" not in each] == []


def test_a_browser_can_load_all_that_the_package_imports() -> None:
    imported = {
        name
        for file in (CLIENT / "dist").glob("*.js")
        for name in re.findall(
            r"""^(?:import|export)\b.* from ["']([^."'][^"']*)""", file.read_text(), re.MULTILINE
        )
    }

    assert imported == {"openapi-fetch"}
