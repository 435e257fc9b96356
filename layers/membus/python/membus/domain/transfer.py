"""What a user takes along: the files of an export, and the manifest that vouches for them."""

import hashlib
from typing import Any, Literal

from pydantic import AwareDatetime

from membus.domain.identity import Id, Record

SCHEMA = 1
"""Version of the lines below; a reader refuses an archive of a later one instead of guessing."""
MANIFEST = "manifest.json"
EVENTS, FACTS, CONVERSATIONS = "events.jsonl", "facts.jsonl", "conversations.jsonl"
DOCUMENTS, QUARANTINE = "documents.jsonl", "quarantine.jsonl"
IMPORTED = "memory.imported"
"""The type of an event that brings another system's statement about a user, which nobody is known to have said."""


class FileEntry(Record):
    """One file of an archive: how many lines and bytes it holds, and the SHA-256 of them."""

    rows: int
    bytes: int
    sha256: str


class Manifest(Record):
    """The last file of an archive, so that what was cut off in the middle has none."""

    format: Literal["membus-export"] = "membus-export"
    schema_version: int = SCHEMA
    membus: str
    tenant: Id
    user: Id
    created_at: AwareDatetime
    files: dict[str, FileEntry]


def natural_id(source: str, user: str, *parts: Any) -> str:
    """Return the id of the event that something becomes: the same however often it is read, another for each user."""
    identity = "\n".join((user, *map(str, parts)))
    return f"{source}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
