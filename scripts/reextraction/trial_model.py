"""A trial of another reader: which model, which instructions, on whom, and what it found."""

import hashlib
from collections.abc import Iterable

from pydantic import AwareDatetime

from membus.core.identity import Id, Record


class ExtractionTrial(Record):
    """`prompt_version` is what its answers are kept under; `instructions` is None for those in use."""

    tenant: Id
    name: Id
    model: str
    prompt_version: str
    instructions: str | None
    users: tuple[Id, ...]
    created_at: AwareDatetime


def sample_users(users: Iterable[str], *, size: int, name: str) -> tuple[str, ...]:
    """Return `size` users, the same ones whenever the trial of that name is run again."""
    return tuple(
        sorted(sorted(users, key=lambda user: hashlib.sha256(f"{name}\n{user}".encode()).digest())[:size])
    )


def instructions_version(instructions: str) -> str:
    """Return the version that belongs to instructions of an operator's own.

    No two texts share their answers.
    """
    return f"own-{hashlib.sha256(instructions.encode()).hexdigest()[:12]}"
