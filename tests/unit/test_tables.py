"""tests/support/tables.py: the tables under test are the tables Terraform makes."""

import re
from pathlib import Path
from typing import Any

from tests.support.tables import TABLES

STORES = Path(__file__).parents[2] / "terraform/modules/platform/stores.tf"
DEFAULTS = {"hash_key": "pk", "ttl_attribute": "expires_at"}


def test_the_tables_under_test_are_the_tables_terraform_makes() -> None:
    text = STORES.read_text()
    tables = _braced(text, text.index("tables = {", text.index('module "tables"')))

    assert {name: _layout(_braced(tables, place)) for name, place in _members(tables)} == TABLES


def _layout(table: str) -> dict[str, Any]:
    keys = tuple(key for key in (_value(table, "hash_key"), _value(table, "range_key")) if key)
    return {"keys": keys, "ttl": _value(table, "ttl_attribute"), "indexes": _indexes(table)}


def _indexes(table: str) -> dict[str, tuple[str, str, str]]:
    found = re.search(r"^\s*indexes\s*=", table, re.MULTILINE)
    indexes = _braced(table, found.end()) if found else ""
    return {
        name: (
            _value(part, "hash_key") or "",
            _value(part, "range_key") or "",
            _value(part, "projection") or "ALL",
        )
        for name, place in _members(indexes)
        for part in [_braced(indexes, place)]
    }


def _value(block: str, name: str) -> str | None:
    flat = (
        re.sub(r"(indexes|collections)\s*=\s*\{.*", "", block, flags=re.DOTALL) if "{" in block[1:] else block
    )
    found = re.search(rf'\b{name}\s*=\s*"([^"]*)"', flat)
    return found[1] if found else DEFAULTS.get(name)


def _members(block: str) -> list[tuple[str, int]]:
    """Return the names that open a block one level below `block`, and where each begins."""
    depth, members = 0, []
    for place, character in enumerate(block):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "{" and depth == 2:
            name = re.search(r"(\w+)\s*=\s*$", block[:place])
            members += [(name[1], place)] if name else []
    return members


def _braced(text: str, start: int) -> str:
    """Return the first `{…}` at or after `start`."""
    begin = text.index("{", start)
    depth = 0
    for place in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[begin : place + 1]
    raise AssertionError("a block that never ends")
