"""Whose memory it is: the ids that key segments are made of, the owner they add up to, and who calls."""

import re
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_SEGMENT = re.compile(r"[\w.:@+=~|-]+")


def _validate_segment(value: str) -> str:
    """Refuse what could forge a key (`#`), leave a folder (`/`, `.`, `..`) or hide (spaces, controls)."""
    if not _SEGMENT.fullmatch(value) or ".." in value or value == ".":
        raise ValueError("use letters, digits and any of . _ : @ + = ~ | - (no '..', and not '.' alone)")
    return value


Id = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_validate_segment)]


class Record(BaseModel):
    """A value: frozen, compared by content, tolerant of fields that a newer version stored."""

    model_config = ConfigDict(frozen=True)


class Owner(Record):
    """The user of one tenant. Two tenants may both have a user `ada`; they share nothing."""

    tenant: Id
    user: Id


class Caller(Record):
    """Who calls, as the authorizer found out from the credential; nothing the client sends can change it."""

    tenant: Id
    key_id: str
    scopes: frozenset[str]

    @property
    def sees_all(self) -> bool:
        """Whether tools may look at the whole tenant, and not only at what is the acting user's."""
        return "admin" in self.scopes


@dataclass(frozen=True)
class DatabaseLogin:
    username: str
    password: str = field(repr=False)


class MemorySource(Record):
    """What a memory rests on, as far as there is something to name."""

    event_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
