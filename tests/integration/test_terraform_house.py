"""terraform/: the house rules that Terraform itself does not know."""

import re
from pathlib import Path

import pytest

from localstack.home import REPOSITORY

TERRAFORM = REPOSITORY / "terraform"
MODULES = sorted(path.parent for path in TERRAFORM.glob("modules/*/main.tf"))
ENVIRONMENTS = sorted(path.parent for path in TERRAFORM.glob("environments/*/main.tf"))
DOCUMENTED = [*MODULES, TERRAFORM / "bootstrap"]
FILES = sorted(path for path in TERRAFORM.rglob("*.tf") if ".terraform" not in path.parts)
TESTS = sorted(path for path in TERRAFORM.rglob("*.hcl") if path.parent.name in {"tests", "mocks"})
MORE_THAN_VALUES = re.compile(r"^(resource|data|locals|check|moved|import)\b", re.MULTILINE)
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
INNERMOST = re.compile(r"\{[^{}]*\}|\[[^\[\]{}]*\]|\([^(){}\[\]]*\)")
TWO_ATTRIBUTES = re.compile(r"\{[^{}]*\w\s+=\s[^{}]*,\s*\w+\s+=\s")
BLOCK = re.compile(r'^(variable|output) "(?P<name>\w+)" \{\n(?P<body>.*?)^\}', re.MULTILINE | re.DOTALL)


def _blocks(kind: str, module: Path) -> dict[str, str]:
    text = "\n".join(path.read_text() for path in sorted(module.glob("*.tf")))
    return {block["name"]: block["body"] for block in BLOCK.finditer(text) if block[1] == kind}


def _holds_two_attributes(line: str) -> bool:
    """Say whether an object on this line has two attributes of its own; those of its parts do not count."""
    rest, before = QUOTED.sub('""', line), ""
    while rest != before:
        if TWO_ATTRIBUTES.search(rest):
            return True
        rest, before = INNERMOST.sub("part", rest, count=1), rest
    return False


@pytest.mark.parametrize("module", DOCUMENTED, ids=lambda path: path.name)
def test_a_module_says_what_it_is_and_shows_its_use(module: Path) -> None:
    readme = (module / "README.md").read_text()

    assert readme.startswith(f"# {module.name}\n")
    assert "```" in readme
    assert "\nDecisions\n" in readme
    assert list(module.glob("tests/*.tftest.hcl"))


@pytest.mark.parametrize("module", [*DOCUMENTED, *ENVIRONMENTS], ids=lambda path: path.name)
def test_inputs_are_typed_and_described_and_outputs_described(module: Path) -> None:
    variables, outputs = _blocks("variable", module), _blocks("output", module)

    assert [name for name, body in variables.items() if "  description = " not in body] == []
    assert [
        name for name, body in variables.items() if not re.search(r"^  type +=", body, re.MULTILINE)
    ] == []
    assert [name for name, body in outputs.items() if "  description = " not in body] == []
    assert len(variables) < 10


@pytest.mark.parametrize("module", DOCUMENTED, ids=lambda path: path.name)
def test_a_validation_has_a_test_that_expects_it_to_refuse(module: Path) -> None:
    tests = "".join(path.read_text() for path in module.glob("tests/*.tftest.hcl"))
    validated = [name for name, body in _blocks("variable", module).items() if "validation {" in body]

    assert [name for name in validated if f"expect_failures = [var.{name}]" not in tests] == []


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=lambda path: path.name)
def test_an_environment_holds_values_only(env: Path) -> None:
    main = (env / "main.tf").read_text()
    everything = "\n".join(path.read_text() for path in env.glob("*.tf"))

    assert len(main.splitlines()) < 60
    assert re.findall(r'^module "(\w+)"', everything, re.MULTILINE) == ["platform"]
    assert not MORE_THAN_VALUES.search(everything)


def test_dev_can_be_destroyed_and_production_cannot() -> None:
    unprotected = [
        env.name
        for env in ENVIRONMENTS
        if re.search(r"^ +protected += false$", (env / "main.tf").read_text(), re.MULTILINE)
    ]

    assert unprotected == ["dev", "local"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_a_file_is_short_and_asks_no_environment_its_name(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) < 150
    assert not re.search(r"environment\s*[!=]=", text)
    assert "endpoints {" not in text


@pytest.mark.parametrize("path", [*FILES, *TESTS], ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_no_line_is_over_120_columns(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), start=1)

    assert [number for number, line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TERRAFORM)))
def test_an_object_has_one_attribute_a_line(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), start=1)

    assert [number for number, line in lines if _holds_two_attributes(line)] == []


def test_every_function_is_one_file_of_the_map() -> None:
    platform = TERRAFORM / "modules" / "platform"
    named = re.findall(
        r"^    (\w+)\s+= local\.function_\1\b", (platform / "locals.tf").read_text(), re.MULTILINE
    )

    assert sorted(named) == sorted(
        path.stem.removeprefix("functions_") for path in platform.glob("functions_*.tf")
    )
    assert len(named) > 1


@pytest.mark.parametrize("env", ENVIRONMENTS, ids=lambda path: path.name)
def test_the_lock_holds_the_pinned_provider_for_laptops_and_servers(env: Path) -> None:
    lock = (env / ".terraform.lock.hcl").read_text()

    assert 'version     = "5.100.0"' in lock
    assert lock.count('"h1:') >= 2
    assert lock == (TERRAFORM / "bootstrap" / ".terraform.lock.hcl").read_text()
