r"""Filters on metadata, as clients write them: `{"lang": {"eq": "en"}, "not": {"stars": {"lt": 3}}}`.

A field is a path with dots, which also finds a member whose own name has these dots. A backslash makes the
character behind it a plain one: `a\.b` is one name, `\and` the field `and`. Several fields, or several
operators of one field, must all hold; a bare value means `eq`. A field that is absent satisfies `ne` and
`{"exists": false}` and nothing else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import ge, gt, le, lt
from typing import Any, Literal, TypeGuard, get_args

from membus.core.errors import InvalidError

FilterOperator = Literal["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "exists"]
OPERATORS = frozenset(get_args(FilterOperator))
_COMPARISONS = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
CONDITIONS_MAX, DEPTH_MAX, PATH_MAX, CHOICES_MAX = 64, 8, 8, 100
_ABSENT = object()
_CONNECTIVES = frozenset({"and", "or", "not"})
_NAMES = re.compile(r"((?:[^.\\]|\\.)*)(?:\.|$)", re.DOTALL)
_FIELDS_OF_SEARCH = frozenset({"user_id", "agent_id", "session_id", "occurred_at"})
"""Members of a result that are not in its metadata; the search has its own fields for them."""


@dataclass(frozen=True)
class Condition:
    """A condition on the member at `path`, or on the one whose name is all of it, where `literal` says so."""

    path: tuple[str, ...]
    operator: FilterOperator
    value: Any
    literal: str | None = None


@dataclass(frozen=True)
class And:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Filter", ...]


@dataclass(frozen=True)
class Not:
    part: "Filter"


Filter = Condition | And | Or | Not


def parse_filter(tree: Mapping[str, Any] | None) -> Filter | None:
    """Return the filter of a client's JSON.

    Raises:
        InvalidError: `bad_filter`, naming what is wrong with it.
    """
    if not tree:
        return None
    parsed = _parse_tree(tree, 0)
    if _count_conditions(parsed) > CONDITIONS_MAX:
        raise _filter_error(f"a filter takes at most {CONDITIONS_MAX} conditions")
    return parsed


def matches_filter(wanted: Filter | None, metadata: Mapping[str, Any]) -> bool:
    match wanted:
        case None:
            return True
        case And(parts):
            return all(matches_filter(part, metadata) for part in parts)
        case Or(parts):
            return any(matches_filter(part, metadata) for part in parts)
        case Not(part):
            return not matches_filter(part, metadata)
        case Condition():
            return _condition_matches(wanted, _find_value(wanted, metadata))


def _parse_tree(tree: Any, depth: int) -> Filter:
    if not isinstance(tree, Mapping) or not tree:
        raise _filter_error("a filter is an object with at least one member")
    if depth > DEPTH_MAX:
        raise _filter_error(f"a filter nests at most {DEPTH_MAX} levels")
    parts = tuple(_parse_member(name, value, depth) for name, value in tree.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _parse_member(name: str, value: Any, depth: int) -> Filter:
    if name in {"and", "or"}:
        if not isinstance(value, list) or not value:
            raise _filter_error(f"`{name}` takes a list of filters")
        parts = tuple(_parse_tree(part, depth + 1) for part in value)
        return And(parts) if name == "and" else Or(parts)
    if name == "not":
        return Not(_parse_tree(value, depth + 1))
    path, literal = _parse_path(name)
    if not isinstance(value, Mapping):
        return _parse_condition(path, literal, "eq", value)
    parts = tuple(_parse_condition(path, literal, operator, operand) for operator, operand in value.items())
    if not parts:
        raise _filter_error(f"`{name}` has no operator")
    return parts[0] if len(parts) == 1 else And(parts)


def _parse_path(name: str) -> tuple[tuple[str, ...], str | None]:
    """Return the names of a path, and the whole as one name where its dots may be part of it."""
    if name.startswith("$") or name.casefold() in _CONNECTIVES:
        connectives = ", ".join(sorted(_CONNECTIVES))
        raise _filter_error(f"`{name}` is no connective; there are {connectives}; `\\{name}` is a field")
    if name in _FIELDS_OF_SEARCH:
        raise _filter_error(f"`{name}` is no metadata: name it in the search itself; `\\{name}` is a field")
    path = tuple(re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in _split_path(name))
    if not all(path) or len(path) > PATH_MAX or "\0" in name:
        raise _filter_error(f"`{name}` is no path of a field")
    return path, name if len(path) > 1 and "\\" not in name else None


def _split_path(name: str) -> list[str]:
    """Return the parts between the dots that no backslash precedes."""
    parts, end = [], 0
    while (found := _NAMES.match(name, end)) and found.end() > end:
        parts.append(found[1])
        end = found.end()
    if end < len(name) or name.endswith(".") or not parts:
        return [""]
    return parts


def _parse_condition(path: tuple[str, ...], literal: str | None, operator: str, value: Any) -> Condition:
    if not _is_operator(operator):
        raise _filter_error(f"`{operator}` is no operator; there are {', '.join(sorted(OPERATORS))}")
    if operator == "in" and not (isinstance(value, list) and len(value) <= CHOICES_MAX):
        raise _filter_error(f"`in` takes a list of at most {CHOICES_MAX} values")
    if operator == "exists" and not isinstance(value, bool):
        raise _filter_error("`exists` takes true or false")
    if operator in _COMPARISONS and not (_is_number(value) or isinstance(value, str)):
        raise _filter_error(f"`{operator}` compares numbers or texts")
    if operator == "contains" and not (_is_number(value) or isinstance(value, str | bool)):
        raise _filter_error("`contains` takes a text, a number or a boolean")
    if "\0" in json.dumps(value, ensure_ascii=False).replace("\\u0000", "\0"):
        raise _filter_error("a text holds a NUL")
    return Condition(path, operator, value, literal)


def _is_operator(name: str) -> TypeGuard[FilterOperator]:
    return name in OPERATORS


def _condition_matches(condition: Condition, found: Any) -> bool:
    value = condition.value
    if condition.operator == "exists":
        return bool((found is not _ABSENT) == value)
    if condition.operator == "ne":
        return not _json_equal(found, value)
    return found is not _ABSENT and _operator_matches(condition.operator, found, value)


def _operator_matches(operator: str, found: Any, value: Any) -> bool:
    match operator:
        case "eq":
            return _json_equal(found, value)
        case "in":
            return any(_json_equal(found, choice) for choice in value)
        case "contains":
            return _contains(found, value)
        case _:
            return _compares(operator, found, value)


def _contains(found: Any, value: Any) -> bool:
    if isinstance(found, list):
        return any(_json_equal(member, value) for member in found)
    return _are_texts(found, value) and value in found


def _compares(operator: str, found: Any, value: Any) -> bool:
    is_comparable = (_is_number(found) and _is_number(value)) or _are_texts(found, value)
    return is_comparable and bool(_COMPARISONS[operator](found, value))


def _are_texts(found: Any, value: Any) -> bool:
    return isinstance(found, str) and isinstance(value, str)


def _json_equal(one: Any, other: Any) -> bool:
    """Compare as JSON does, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _find_value(condition: Condition, metadata: Mapping[str, Any]) -> Any:
    if condition.literal is not None and condition.literal in metadata:
        return metadata[condition.literal]
    return _value_at(condition.path, metadata)


def _value_at(path: tuple[str, ...], metadata: Any) -> Any:
    for name in path:
        if not isinstance(metadata, Mapping) or name not in metadata:
            return _ABSENT
        metadata = metadata[name]
    return metadata


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _count_conditions(wanted: Filter) -> int:
    match wanted:
        case And(parts) | Or(parts):
            return sum(map(_count_conditions, parts))
        case Not(part):
            return _count_conditions(part)
        case Condition():
            return 1


def _filter_error(detail: str) -> InvalidError:
    return InvalidError(f"filters: {detail}", code="bad_filter")
