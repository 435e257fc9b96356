"""Which rows a search may see, as SQL; `memories` and `vectors` have the columns for it in common."""

from collections.abc import Collection
from typing import Any, LiteralString

from psycopg import sql

from membus.adapters.postgres_filters import compile_filter
from membus.domain.memory import memory_scope
from membus.domain.retrieval import SearchScope

_NARROWED: dict[str, LiteralString] = {
    "scope": "{row}.scope = %(scope)s",
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
    """Return the named values that `visible` refers to, those of a filter on metadata apart."""
    asked = {
        "tenant": within.tenant_id,
        "now": within.now,
        "scope": within.scope,
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
    """Return the condition on `row`, an alias of either table; metadata is filtered on the alias `m`."""
    names = frozenset(parameters)
    return condition_from_names(
        names, compile_filter(within.filter, parameters) if within.filter else None, row=row
    )


def condition_from_names(
    names: Collection[str], wanted: sql.Composable | None, *, row: LiteralString
) -> sql.Composable:
    """Return the same from the names of `parameters_of` and a filter that is compiled already."""
    then = _VALID_AT if "as_of" in names else _VALID_NOW
    texts = (_TENANT, NOT_EXPIRED, then, *(text for name, text in _NARROWED.items() if name in names))
    conditions: list[sql.Composable] = [sql.SQL(text).format(row=sql.SQL(row)) for text in texts]
    return sql.SQL(" AND ").join([*conditions, wanted] if wanted else conditions)


def covers_whole_scope(within: SearchScope) -> bool:
    """Whether the search sees all of one scope that is live: what an approximate index may be asked for."""
    narrowing = (within.agent_id, within.session, within.since, within.until, within.as_of, within.filter)
    return within.scope is not None and not within.kinds and not any(narrowing)
