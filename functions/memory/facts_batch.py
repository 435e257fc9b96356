"""Many facts set by hand in one request.

The valid ones are written, the others reported each with its reason.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from functions.memory.facts_api import FactRefused, FactResults, FactSet, KeyedFactIn
from functions.memory.facts_changes import Change
from functions.memory.facts_corrections import Outcome, correct_all, event_id_of
from membus.domain.corrections import Correction
from membus.domain.identity import Owner
from membus.errors import ConflictError, MembusError
from membus.ports.facts import FactStore


def put_facts(
    owner: Owner,
    items: Sequence[Any],
    *,
    request_key: str,
    now: datetime,
    facts: FactStore,
    pause: Callable[[float], None],
) -> FactResults:
    """Return what became of each item; the ids of the events follow from the request's key."""
    asked: dict[int, KeyedFactIn] = {}
    results: dict[int, FactSet | FactRefused] = {}
    for index, item in enumerate(items):
        checked = _checked(index, item, taken={each.key for each in asked.values()})
        if isinstance(checked, KeyedFactIn):
            asked[index] = checked
        else:
            results[index] = checked
    changes = [_change(owner, index, each, request_key) for index, each in asked.items()]
    outcomes = correct_all(owner, changes, now=now, facts=facts, pause=pause)
    results |= {
        index: _result(index, each.key, outcome)
        for (index, each), outcome in zip(asked.items(), outcomes, strict=True)
    }
    return FactResults(results=[results[index] for index in range(len(items))])


def _checked(index: int, item: Any, *, taken: set[str]) -> KeyedFactIn | FactRefused:
    try:
        asked = KeyedFactIn.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "fact"
        key = item.get("key") if isinstance(item, dict) else None
        return FactRefused(
            index=index,
            key=key if isinstance(key, str) else None,
            code="invalid",
            detail=f"{where}: {first['msg']}",
        )
    if asked.key in taken:
        return FactRefused(index=index, key=asked.key, code="duplicate_key", detail="a batch sets a key once")
    return asked


def _change(owner: Owner, index: int, asked: KeyedFactIn, request_key: str) -> Change:
    correction = Correction(key=asked.key, value=asked.value, kind=asked.kind, valid_from=asked.valid_from)
    event_id = event_id_of(owner, asked.key, request_key, place=f"batch {index}")
    return Change(correction, event_id, asked.expected_version)


def _result(index: int, key: str, outcome: Outcome) -> FactSet | FactRefused:
    if isinstance(outcome, MembusError):
        version = outcome.version if isinstance(outcome, ConflictError) else None
        return FactRefused(
            index=index, key=key, code=outcome.code, detail=outcome.detail, current_version=version
        )
    return FactSet(index=index, key=key, version=outcome.fact.version)
