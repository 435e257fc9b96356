"""Filters and search scopes as SQL conditions; a client's text goes into named parameters only."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from membus.search.filters import And, Condition, Filter, Not, Or
from membus.search.model import memory_scope
from membus.search.retrieval import SearchScope

_COMPARISONS = {"gt": sql.SQL(">"), "gte": sql.SQL(">="), "lt": sql.SQL("<"), "lte": sql.SQL("<=")}


def compile_filter(wanted: Filter, parameters: dict[str, Any]) -> sql.Composable:
    """Return a boolean expression over `m.metadata`, never NULL; its values are added to `parameters`."""
    match wanted:
        case And(parts):
            return _join(parts, sql.SQL(" AND "), parameters)
        case Or(parts):
            return _join(parts, sql.SQL(" OR "), parameters)
        case Not(part):
            return sql.SQL("NOT {}").format(compile_filter(part, parameters))
        case Condition():
            return sql.SQL("coalesce({}, false)").format(_test(wanted, parameters))


def _join(parts: tuple[Filter, ...], between: sql.SQL, parameters: dict[str, Any]) -> sql.Composable:
    return sql.SQL("({})").format(between.join(compile_filter(part, parameters) for part in parts))


def _test(condition: Condition, parameters: dict[str, Any]) -> sql.Composable:
    # `->` with a text finds members of objects only: a number in a path is a name, not an index of a list.
    steps = [sql.SQL(" -> {}::text").format(_value(step, parameters)) for step in condition.path]
    field, value = sql.SQL("(m.metadata{})").format(sql.Composed(steps)), condition.value
    if condition.literal is not None:
        whole = sql.SQL("m.metadata -> {}::text").format(_value(condition.literal, parameters))
        field = sql.SQL("coalesce({}, {})").format(whole, field)
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


_NARROWED: dict[str, LiteralString] = {
    "scope": "{row}.scope = %(scope)s",
    "scopes": "{row}.scope = ANY(%(scopes)s)",
    "agent": "({row}.agent_id = %(agent)s OR {row}.kind = 'fact')",  # every agent knows the facts
    "session": "{row}.session = %(session)s",
    "kinds": "{row}.kind = ANY(%(kinds)s)",
    "since": "{row}.occurred_at >= %(since)s",
    "without": "{row}.scope <> ALL(%(without)s)",
    "until": "{row}.occurred_at <= %(until)s",
}
_TENANT: LiteralString = "{row}.tenant_id = %(tenant)s"
NOT_EXPIRED: LiteralString = "({row}.expires_at IS NULL OR {row}.expires_at > %(now)s)"
_VALID_NOW = "{row}.valid_until IS NULL"
_VALID_AT = "{row}.occurred_at <= %(as_of)s AND ({row}.valid_until IS NULL OR {row}.valid_until > %(as_of)s)"


def scope_parameters(within: SearchScope) -> dict[str, Any]:
    """Return the values of the scope's condition by name, without those of its filter."""
    asked = {
        "tenant": within.tenant_id,
        "now": within.now,
        "scope": within.scope,
        "scopes": list(within.scopes) or None,
        "agent": within.agent_id,
        "session": within.session,
        "kinds": list(within.kinds) or None,
        "since": within.since,
        "until": within.until,
        "as_of": within.as_of,
        "without": [memory_scope(user, None) for user in sorted(within.without)] or None,
    }
    return {name: value for name, value in asked.items() if value is not None}


def scope_condition(within: SearchScope, parameters: dict[str, Any], *, row: LiteralString) -> sql.Composable:
    """Return the condition on `row`, an alias of `memories` or `vectors`; its filter is on the alias `m`."""
    names = frozenset(parameters)
    compiled = compile_filter(within.filter, parameters) if within.filter else None
    return condition_from_names(names, compiled, row=row)


def condition_from_names(
    names: Collection[str], wanted: sql.Composable | None, *, row: LiteralString
) -> sql.Composable:
    """Return the same from the names of `scope_parameters` and a compiled filter."""
    valid = _VALID_AT if "as_of" in names else _VALID_NOW
    texts = (_TENANT, NOT_EXPIRED, valid, *(text for name, text in _NARROWED.items() if name in names))
    conditions: list[sql.Composable] = [sql.SQL(text).format(row=sql.SQL(row)) for text in texts]
    return sql.SQL(" AND ").join([*conditions, wanted] if wanted else conditions)


def covers_whole_scope(within: SearchScope) -> bool:
    """Whether the search sees all live memories of one scope, so that an approximate index may serve it."""
    narrowing = (within.agent_id, within.session, within.since, within.until, within.as_of, within.filter)
    return within.scope is not None and not within.kinds and not any(narrowing)
