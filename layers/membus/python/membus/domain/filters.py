"""Conditions on metadata as clients write them: `{"and": [{"lang": {"eq": "en"}}, {"not": {"stars": {"lt".

3}}}]}`.

A field is a path with dots. Several fields, or several operators of one field, must all hold; a bare value
means `eq`. A field that is absent satisfies `ne` and `{"exists": false}` and nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args

from membus.errors import InvalidError

Operator = Literal["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "exists"]
OPERATORS = frozenset(get_args(Operator))
ORDERED = frozenset({"gt", "gte", "lt", "lte"})
CONDITIONS_MAX, DEPTH_MAX, PATH_MAX, CHOICES_MAX = 64, 8, 8, 100
_ABSENT = object()


@dataclass(frozen=True)
class Condition:
    path: tuple[str, ...]
    operator: Operator
    value: Any


@dataclass(frozen=True)
class Every:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Either:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    part: "Filter"


Filter = Condition | Every | Either | Not


def read_filter(tree: Mapping[str, Any] | None) -> Filter | None:
    """Return the filter that a client's JSON means.

    Raises:
        InvalidError: `bad_filter`, naming what is wrong with it.
    """
    if not tree:
        return None
    read = _read(tree, 0)
    if _count(read) > CONDITIONS_MAX:
        raise _bad(f"a filter takes at most {CONDITIONS_MAX} conditions")
    return read


def matches(wanted: Filter | None, metadata: Mapping[str, Any]) -> bool:
    match wanted:
        case None:
            return True
        case Every(parts):
            return all(matches(part, metadata) for part in parts)
        case Either(parts):
            return any(matches(part, metadata) for part in parts)
        case Not(part):
            return not matches(part, metadata)
        case Condition():
            return _holds(wanted, _at(wanted.path, metadata))


def _read(tree: Any, depth: int) -> Filter:
    if not isinstance(tree, Mapping) or not tree:
        raise _bad("a filter is an object with at least one member")
    if depth > DEPTH_MAX:
        raise _bad(f"a filter nests at most {DEPTH_MAX} levels")
    parts = tuple(_member(name, value, depth) for name, value in tree.items())
    return parts[0] if len(parts) == 1 else Every(parts)


def _member(name: str, value: Any, depth: int) -> Filter:
    if name in {"and", "or"}:
        if not isinstance(value, list) or not value:
            raise _bad(f"`{name}` takes a list of filters")
        parts = tuple(_read(part, depth + 1) for part in value)
        return Every(parts) if name == "and" else Either(parts)
    if name == "not":
        return Not(_read(value, depth + 1))
    path = tuple(name.split("."))
    if not all(path) or len(path) > PATH_MAX or "\0" in name:
        raise _bad(f"`{name}` is no path of a field")
    if not isinstance(value, Mapping):
        return _condition(path, "eq", value)
    parts = tuple(_condition(path, operator, operand) for operator, operand in value.items())
    if not parts:
        raise _bad(f"`{name}` has no operator")
    return parts[0] if len(parts) == 1 else Every(parts)


def _condition(path: tuple[str, ...], operator: str, value: Any) -> Condition:
    if not _is_operator(operator):
        raise _bad(f"`{operator}` is no operator; there are {', '.join(sorted(OPERATORS))}")
    if operator == "in" and not (isinstance(value, list) and len(value) <= CHOICES_MAX):
        raise _bad(f"`in` takes a list of at most {CHOICES_MAX} values")
    if operator == "exists" and not isinstance(value, bool):
        raise _bad("`exists` takes true or false")
    if operator in ORDERED and not (_is_number(value) or isinstance(value, str)):
        raise _bad(f"`{operator}` compares numbers or texts")
    if operator == "contains" and not (_is_number(value) or isinstance(value, str | bool)):
        raise _bad("`contains` takes a text, a number or a boolean")
    if "\0" in json.dumps(value, ensure_ascii=False).replace("\\u0000", "\0"):
        raise _bad("a text holds a NUL")
    return Condition(path, operator, value)


def _is_operator(name: str) -> TypeGuard[Operator]:
    return name in OPERATORS


def _holds(condition: Condition, found: Any) -> bool:
    value = condition.value
    if condition.operator == "exists":
        return bool((found is not _ABSENT) == value)
    if condition.operator == "ne":
        return not _same(found, value)
    return found is not _ABSENT and _says(condition.operator, found, value)


def _says(operator: str, found: Any, value: Any) -> bool:
    match operator:
        case "eq":
            return _same(found, value)
        case "in":
            return any(_same(found, choice) for choice in value)
        case "contains":
            return _contains(found, value)
        case _:
            return _compares(operator, found, value)


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, list):
        return any(_same(member, value) for member in found)
    return isinstance(found, str) and isinstance(value, str) and value in found


def _compares(operator: str, found: Any, value: Any) -> bool:
    comparable = (_is_number(found) and _is_number(value)) or (
        isinstance(found, str) and isinstance(value, str)
    )
    if not comparable:
        return False
    return bool(
        {"gt": found > value, "gte": found >= value, "lt": found < value, "lte": found <= value}[operator]
    )


def _same(one: Any, other: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _at(path: tuple[str, ...], metadata: Any) -> Any:
    for name in path:
        if not isinstance(metadata, Mapping) or name not in metadata:
            return _ABSENT
        metadata = metadata[name]
    return metadata


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count(wanted: Filter) -> int:
    match wanted:
        case Every(parts) | Either(parts):
            return sum(map(_count, parts))
        case Not(part):
            return _count(part)
        case Condition():
            return 1


def _bad(detail: str) -> InvalidError:
    return InvalidError(f"filters: {detail}", code="bad_filter")
