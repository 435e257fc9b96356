"""Give every scope that has outgrown exact search an approximate index, and take it from those that have shrunk."""

from datetime import datetime
from typing import TypedDict

from membus.ports.scope_indexes import ScopeIndexes


class IndexMaintenanceReport(TypedDict):
    made: list[str]
    dropped: list[str]


def embedding_wait_seconds(indexes: ScopeIndexes, *, model: str, now: datetime) -> float:
    """Return how long the oldest text without a vector of the model has waited; 0 where none waits."""
    since = indexes.waits_since(model)
    return (now - since).total_seconds() if since else 0.0


def maintain_indexes(indexes: ScopeIndexes, *, at_least: int) -> IndexMaintenanceReport:
    """Return the names of what was made and dropped.

    A scope around the border keeps its index down to half of it.
    """
    there = indexes.made()
    wanted = {indexes.name(scope): scope for scope in indexes.large(at_least=at_least)}
    kept = {indexes.name(scope) for scope in indexes.large(at_least=at_least // 2)}
    dropped = [name for name, whole in there.items() if not whole or name not in kept]
    for name in dropped:
        indexes.drop(name)
    missing = [name for name in wanted if not there.get(name)]
    for name in missing:
        indexes.make(wanted[name])
    return {"made": missing, "dropped": dropped}
