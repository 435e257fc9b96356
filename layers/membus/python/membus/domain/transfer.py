"""What a user takes along: the files of an export, the manifest that vouches for them, and the job that makes them."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from membus.domain.erasure import subject_of
from membus.domain.identity import Id, Owner, Record

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


KEPT = timedelta(days=7)
"""How long the archive of a job can be fetched; the bucket's lifecycle says the same."""
JOB_PREFIX = "export_"
"""Export jobs lie among other jobs and are told from them by it."""


class Export(Record):
    """The job that writes a user's archive; of a `dry_run` only the counts.

    `user` is forgotten when it ends; `subject` stands for them in the file's place. `rows` counts the lines by file.
    """

    job_id: Id
    tenant: Id
    user: Id | None
    subject: str
    status: Literal["running", "done", "failed"] = "running"
    dry_run: bool = False
    requested_at: AwareDatetime
    requested_by: str
    ended_at: AwareDatetime | None = None
    rows: dict[str, int] = Field(default_factory=dict)
    bytes: int = 0
    reason: str | None = None

    @property
    def place(self) -> str:
        """Where the archive lies: below a prefix of the user's own, which their erasure removes."""
        return f"{exports_prefix(self.tenant, self.subject)}{self.job_id}.zip"

    @property
    def gone_at(self) -> datetime | None:
        """When the archive is removed; None where there is none."""
        return self.ended_at + KEPT if self.ended_at and self.status == "done" and not self.dry_run else None


def exports_prefix(tenant: str, subject: str) -> str:
    return f"exports/{tenant}/{subject}/"


def prefix_of(owner: Owner) -> str:
    return exports_prefix(owner.tenant, subject_of(owner.tenant, owner.user))


def natural_id(source: str, user: str, *parts: Any) -> str:
    """Return the id of the event that something becomes: the same however often it is read, another for each user."""
    identity = "\n".join((user, *map(str, parts)))
    return f"{source}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
