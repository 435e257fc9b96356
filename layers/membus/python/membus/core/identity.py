"""Identity: ids, the owner of data, the caller of a request, and a database login."""

import re
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

_SEGMENT = re.compile(r"[\w.:@+=~|-]+")


def _validate_segment(value: str) -> str:
    """Refuse characters that could forge a key (`#`), leave a folder (`/`, `.`, `..`) or are invisible."""
    if not _SEGMENT.fullmatch(value) or ".." in value or value == ".":
        raise ValueError("use letters, digits and any of . _ : @ + = ~ | - (no '..', and not '.' alone)")
    return value


Id = Annotated[str, StringConstraints(min_length=1, max_length=128), AfterValidator(_validate_segment)]


class Record(BaseModel):
    """A value: frozen, compared by content; fields of a newer version are ignored."""

    model_config = ConfigDict(frozen=True)


class Owner(Record):
    """The user of one tenant. Two tenants may both have a user `ada`; they share nothing."""

    tenant: Id
    user: Id


class Caller(Record):
    """The caller of a request, by its credential; nothing else that the client sends can change it."""

    tenant: Id
    key_id: str
    scopes: frozenset[str]

    @property
    def sees_all(self) -> bool:
        """Whether tools may read the whole tenant's data, not only the acting user's."""
        return "admin" in self.scopes


@dataclass(frozen=True)
class DatabaseLogin:
    username: str
    password: str = field(repr=False)


class MemorySource(Record):
    """The event, or the message of a conversation, that a memory comes from, as far as there is one."""

    event_id: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
