"""docs/runbooks.

Every alarm that Terraform makes has its page, README lists it, and doctor names the same one.
"""

import re
from pathlib import Path

import pytest

from scripts.cli import command_line
from scripts.command import PROGRAM, list_commands
from scripts.doctor.findings import find_runbook

ROOT = Path(__file__).parents[2]
PAGES, MODULES = ROOT / "docs" / "runbooks", ROOT / "terraform" / "modules"
PLATFORM = (MODULES / "platform" / "routes.tf").read_text(encoding="utf-8")
ROUTES = tuple(re.findall(r"^    (\w+) = \{\n      pattern", PLATFORM, flags=re.MULTILINE))
SURPLUS = tuple(re.findall(r"^    (\w+) = \{\n(?:      .*\n)*?      overflow", PLATFORM, flags=re.MULTILINE))
PARKING = ("failures", "quarantine")
ENDS = ("bus-dlq", *PARKING, *(f"{route}{kind}" for route in ROUTES for kind in ("-dlq", "-rule-dlq")))
FUNCTIONS = tuple(each.parent.name for each in (ROOT / "functions").glob("*/handler.py"))


def keys(module: str, file: str) -> list[str]:
    """Return the names in a module's map of alarms."""
    text = (MODULES / module / file).read_text(encoding="utf-8")
    return re.findall(
        r"^    (\w+)\s+= \{", text.partition("alarms = {")[2].partition("\n  }")[0], flags=re.MULTILINE
    )


ALARMS = {
    ("api", "${var.name}-failures"): ["api-failures"],
    ("archive", "${var.alarm.prefix}-problems"): ["archive-problems"],
    ("event_bus", "${each.value.name}-not-empty"): [f"{end}-not-empty" for end in ENDS],
    ("event_bus", "${each.value.name}-falls-behind"): [
        f"{route}-falls-behind" for route in (*ROUTES, *(f"{route}-surplus" for route in SURPLUS))
    ],
    ("event_bus", "${var.prefix}-${each.key}"): [
        f"{route}-{metric}"
        for route in ROUTES
        for metric in ("failedinvocations", "invocationsfailedtobesenttodlq")
    ],
    ("function", "${var.name}-${each.key}"): [
        f"{function}-{alarm}" for function in FUNCTIONS for alarm in keys("function", "alarms.tf")
    ],
    ("hot_tier", "${local.name}-throttled"): ["hot-throttled"],
    ("hot_tier", "${local.name}-away"): ["hot-away"],
    ("platform", "${local.prefix}-erasures-failed"): ["erasures-failed"],
    ("socket_api", "${var.name}-${each.key}"): [
        f"socket-{alarm}" for alarm in keys("socket_api", "stage.tf")
    ],
    ("vector_store", "${local.name}-at-its-ceiling"): ["vectors-at-its-ceiling"],
    ("vector_store", "${local.name}-wait"): ["vectors-wait"],
}
NAMES = [name for names in ALARMS.values() for name in names]


def test_every_alarm_of_terraform_is_known_here() -> None:
    found = {
        (file.parent.name, name)
        for file in MODULES.glob("*/*.tf")
        for name in re.findall(
            r'^\s*alarm_name\s*= "([^"]+)"', file.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
    }

    assert found == set(ALARMS)
    assert ROUTES
    assert SURPLUS == ("extract",)
    assert all(ALARMS.values())


@pytest.mark.parametrize("alarm", NAMES)
def test_every_alarm_has_its_page(alarm: str) -> None:
    page = find_runbook(alarm)

    assert page
    assert (PAGES / f"{page}.md").exists()


def test_the_list_of_pages_lists_each_of_them() -> None:
    listed = (PAGES / "README.md").read_text(encoding="utf-8")

    assert [page.name for page in PAGES.glob("*.md") if f"({page.name})" not in listed] == ["README.md"]


@pytest.mark.parametrize("page", sorted(page.name for page in PAGES.glob("*.md")))
def test_every_page_names_only_commands_and_pages_that_exist(page: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    names = {leaf.prog.removeprefix(f"{PROGRAM} ") for leaf in list_commands(command_line())}

    called = re.findall(r"python -m scripts ([a-z]+)(?: ([a-z]+))?", text)
    assert [words for words in called if not names & {words[0], " ".join(words)} and words[1]] == []
    assert [link for link in re.findall(r"\]\(([\w./-]+\.md)\)", text) if not (PAGES / link).exists()] == []


@pytest.mark.parametrize("page", sorted({page for name in NAMES if (page := find_runbook(name))}))
def test_an_alarms_page_says_when_it_is_over(page: str) -> None:
    assert "**Over when**" in (PAGES / f"{page}.md").read_text(encoding="utf-8")
