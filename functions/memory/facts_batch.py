"""Many facts set by hand in one request.

The valid ones are written, the others reported each with its reason.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from functions.memory.facts_api import FactRejected, FactResults, FactSet, KeyedFactIn
from functions.memory.facts_changes import FactChange
from functions.memory.facts_corrections import CorrectionOutcome, correct_facts, correction_event_id
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
    results: dict[int, FactSet | FactRejected] = {}
    for index, item in enumerate(items):
        checked = _parse_item(index, item, taken={each.key for each in asked.values()})
        if isinstance(checked, KeyedFactIn):
            asked[index] = checked
        else:
            results[index] = checked
    changes = [_batch_change(owner, index, each, request_key) for index, each in asked.items()]
    outcomes = correct_facts(owner, changes, now=now, facts=facts, pause=pause)
    results |= {
        index: _batch_result(index, each.key, outcome)
        for (index, each), outcome in zip(asked.items(), outcomes, strict=True)
    }
    return FactResults(results=[results[index] for index in range(len(items))])


def _parse_item(index: int, item: Any, *, taken: set[str]) -> KeyedFactIn | FactRejected:
    try:
        asked = KeyedFactIn.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "fact"
        key = item.get("key") if isinstance(item, dict) else None
        return FactRejected(
            index=index,
            key=key if isinstance(key, str) else None,
            code="invalid",
            detail=f"{where}: {first['msg']}",
        )
    if asked.key in taken:
        return FactRejected(
            index=index, key=asked.key, code="duplicate_key", detail="a batch sets a key once"
        )
    return asked


def _batch_change(owner: Owner, index: int, asked: KeyedFactIn, request_key: str) -> FactChange:
    correction = Correction(key=asked.key, value=asked.value, kind=asked.kind, valid_from=asked.valid_from)
    event_id = correction_event_id(owner, asked.key, request_key, place=f"batch {index}")
    return FactChange(correction, event_id, asked.expected_version)


def _batch_result(index: int, key: str, outcome: CorrectionOutcome) -> FactSet | FactRejected:
    if isinstance(outcome, MembusError):
        version = outcome.version if isinstance(outcome, ConflictError) else None
        return FactRejected(
            index=index, key=key, code=outcome.code, detail=outcome.detail, current_version=version
        )
    return FactSet(index=index, key=key, version=outcome.fact.version)
