"""A trial: another model or other instructions, and the users whose facts they extract."""

import hashlib
from collections.abc import Iterable

from pydantic import AwareDatetime

from membus.core.identity import Id, Record


class ExtractionTrial(Record):
    """Its answers are saved under `prompt_version`; `instructions` is None for those in use."""

    tenant: Id
    name: Id
    model: str
    prompt_version: str
    instructions: str | None
    users: tuple[Id, ...]
    created_at: AwareDatetime


def sample_users(users: Iterable[str], *, size: int, name: str) -> tuple[str, ...]:
    """Return `size` users, the same ones in every run of the trial of that name."""
    by_hash = sorted(users, key=lambda user: hashlib.sha256(f"{name}\n{user}".encode()).digest())
    return tuple(sorted(by_hash[:size]))


def instructions_version(instructions: str) -> str:
    """Return the version of an operator's own instructions, under which no other text has answers."""
    return f"own-{hashlib.sha256(instructions.encode()).hexdigest()[:12]}"
