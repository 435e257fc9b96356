"""Filters on metadata as SQL with named parameters; what a client wrote is never part of a statement."""

from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from membus.domain.filters import And, Condition, Filter, Not, Or

_COMPARISONS = {"gt": sql.SQL(">"), "gte": sql.SQL(">="), "lt": sql.SQL("<"), "lte": sql.SQL("<=")}


def compile_filter(wanted: Filter, parameters: dict[str, Any]) -> sql.Composable:
    """Return a boolean expression over `m.metadata`, never NULL; its values are added to `parameters`."""
    match wanted:
        case And(parts):
            return _joined(parts, sql.SQL(" AND "), parameters)
        case Or(parts):
            return _joined(parts, sql.SQL(" OR "), parameters)
        case Not(part):
            return sql.SQL("NOT {}").format(compile_filter(part, parameters))
        case Condition():
            return sql.SQL("coalesce({}, false)").format(_test(wanted, parameters))


def _joined(parts: tuple[Filter, ...], between: sql.SQL, parameters: dict[str, Any]) -> sql.Composable:
    return sql.SQL("({})").format(between.join(compile_filter(part, parameters) for part in parts))


def _test(condition: Condition, parameters: dict[str, Any]) -> sql.Composable:
    # `->` with a text finds members of objects only: a number in a path is a name, not a place in a list.
    steps = [sql.SQL(" -> {}::text").format(_value(step, parameters)) for step in condition.path]
    field, value = sql.SQL("(m.metadata{})").format(sql.Composed(steps)), condition.value
    match condition.operator:
        case "exists":
            return sql.SQL("({} IS NOT NULL) = {}").format(field, _value(value, parameters))
        case "eq":
            return sql.SQL("{} = {}").format(field, _value(Jsonb(value), parameters))
        case "ne":
            return sql.SQL("{} IS DISTINCT FROM {}").format(field, _value(Jsonb(value), parameters))
        case "in":
            choices = _value([Jsonb(choice) for choice in value], parameters)
            return sql.SQL("{} = ANY({}::jsonb[])").format(field, choices)
        case "contains":
            return _contains(field, value, parameters)
        case operator:
            return _compares(field, _COMPARISONS[operator], value, parameters)


def _contains(field: sql.Composable, value: Any, parameters: dict[str, Any]) -> sql.Composable:
    member = sql.SQL("(jsonb_typeof({0}) = 'array' AND {0} @> {1})").format(
        field, _value(Jsonb([value]), parameters)
    )
    if not isinstance(value, str):
        return member
    pattern = _value(f"%{_escaped(value)}%", parameters)
    words = sql.SQL("(jsonb_typeof({0}) = 'string' AND {0} #>> '{{}}' LIKE {1})").format(field, pattern)
    return sql.SQL("({} OR {})").format(member, words)


def _compares(
    field: sql.Composable, comparison: sql.SQL, value: Any, parameters: dict[str, Any]
) -> sql.Composable:
    if isinstance(value, str):  # by code point, whatever the database sorts by
        text = sql.SQL("(jsonb_typeof({0}) = 'string' AND {0} #>> '{{}}' COLLATE \"C\" {1} {2})")
        return text.format(field, comparison, _value(value, parameters))
    number = sql.SQL("(jsonb_typeof({0}) = 'number' AND {0} {1} {2})")
    return number.format(field, comparison, _value(Jsonb(value), parameters))


def _value(value: Any, parameters: dict[str, Any]) -> sql.Placeholder:
    name = f"filter_{len(parameters)}"
    parameters[name] = value
    return sql.Placeholder(name)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
