"""Strict JSON: a text has one meaning or is refused with the reason."""

import json
import math
from collections.abc import Collection
from typing import Any

from membus.core.errors import InvalidError

DEPTH_MAX = 64
ITEM_DEPTH = 2
"""The level of a batch's item in its body."""
INT64 = range(-(2**63), 2**63)


class UnreadableItem(dict[str, Any]):
    """Stands for an item of a batch that cannot be stored; `error` says why."""

    def __init__(self, error: InvalidError) -> None:
        super().__init__()
        self.error = error


class _NotANumber(float):
    """NaN, Infinity or -Infinity, which Python reads and JSON does not have."""


def parse_strict_json(text: str | bytes, *, batches: Collection[str] = ()) -> Any:
    """Parse JSON; text that parsers read differently is refused.

    Each item of a list that the outermost object has under one of the names `batches` is checked on its own:
    an item with a number or a character that cannot be stored is replaced by an `UnreadableItem`.

    Raises:
        InvalidError: `invalid_json` for syntax, duplicate keys, NaN, Infinity, invalid UTF-8 and lone
            surrogates; `too_deep` beyond 64 levels; `number_out_of_range` beyond 64-bit integers, which
            EventBridge refuses.
    """
    try:
        value = json.loads(text, object_pairs_hook=_unique_object, parse_constant=_NotANumber)
    except RecursionError as error:
        raise InvalidError(f"the JSON nests deeper than {DEPTH_MAX} levels", code="too_deep") from error
    except ValueError as error:
        raise InvalidError(f"the body is not valid JSON: {error}", code="invalid_json") from error
    if not isinstance(value, dict):
        _check(value)
        return value
    lists = {name: value[name] for name in batches if isinstance(value.get(name), list)}
    _check({name: member for name, member in value.items() if name not in lists})
    return value | {name: [_check_item(item) for item in items] for name, items in lists.items()}


def _check_item(item: Any) -> Any:
    try:
        _check(item, depth=ITEM_DEPTH)
    except InvalidError as error:
        return UnreadableItem(error)
    return item


def _check(value: Any, depth: int = 0) -> None:
    _check_bounds(value, depth)
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError as error:
        raise InvalidError(f"a text holds half of a character: {error}", code="invalid_json") from error


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key appears twice in one object")
    return members


def _check_bounds(value: Any, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise InvalidError(f"the JSON nests deeper than {DEPTH_MAX} levels", code="too_deep")
    if isinstance(value, int) and value not in INT64:
        raise InvalidError("an integer does not fit 64 bits", code="number_out_of_range")
    if isinstance(value, _NotANumber):
        raise InvalidError("NaN and Infinity are no JSON numbers", code="invalid_json")
    if isinstance(value, float) and math.isinf(value):
        raise InvalidError("a number does not fit a double", code="number_out_of_range")
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for member in members:
        _check_bounds(member, depth + 1)
