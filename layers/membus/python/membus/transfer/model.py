"""What a user takes along.

The files of an export, the manifest that vouches for them, and the job that makes them.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, Field
from ulid import ULID

from membus.core.erasure import erasure_subject
from membus.core.event import Event
from membus.core.identity import Id, Owner, Record

EXPORT_SCHEMA = 2
"""Version of the files below; a reader refuses an archive of a later one instead of guessing.

At 1 each was whole.
"""
MANIFEST = "manifest.json"
EVENTS, FACTS, CONVERSATIONS = "events.jsonl", "facts.jsonl", "conversations.jsonl"
DOCUMENTS, QUARANTINE, STATES = "documents.jsonl", "quarantine.jsonl", "states.jsonl"
SECTIONS = (EVENTS, FACTS, CONVERSATIONS, DOCUMENTS, QUARANTINE)
"""In the order in which they are written; states go with the events of their sessions."""


def piece_name(section: str, number: int) -> str:
    """Return the name of a section's piece.

    The first has the section's own, `events.jsonl`, then `events-2.jsonl`.
    """
    stem, dot, ending = section.partition(".")
    return section if number == 1 else f"{stem}-{number}{dot}{ending}"


def section_of(name: str) -> str:
    """Return the section that a file is a piece of."""
    stem, dot, ending = name.partition(".")
    return f"{stem.partition('-')[0]}{dot}{ending}"


def number_of(name: str) -> int:
    """Return which piece of its section a file is."""
    return int(name.partition(".")[0].partition("-")[2] or 1)


class FileEntry(Record):
    """One file of an archive: how many lines and bytes it holds, and the SHA-256 of them."""

    rows: int
    bytes: int
    sha256: str


class Manifest(Record):
    """The last file of an archive, so that what was cut off in the middle has none."""

    format: Literal["membus-export"] = "membus-export"
    schema_version: int = EXPORT_SCHEMA
    membus: str
    tenant: Id
    user: Id
    created_at: AwareDatetime
    files: dict[str, FileEntry]


FILE_LIFETIME = timedelta(days=7)
"""How long the archive of a job can be fetched; the bucket's lifecycle says the same."""
JOB_PREFIX = "export_"
"""Export jobs lie among other jobs and are told from them by it."""


class FilePiece(FileEntry):
    """A file as it lies in the zip: `packed` bytes behind its header at `offset`."""

    name: str
    crc: int
    packed: int
    offset: int


class StoredPart(Record):
    """What the store answers for a part: with it the archive is put together, and of no other bytes."""

    etag: str
    checksum: str | None = None


class ExportPart(Record):
    """As much of the archive as one step writes: whole files, or whole pieces of them."""

    number: int
    kept: StoredPart | None
    pieces: tuple[FilePiece, ...]


class ExportCursor(Record):
    """Where the next part goes on: in a section, behind what `after` names, with the piece of this number."""

    section: str = EVENTS
    piece: int = 1
    after: dict[str, str] | None = None


class Export(Record):
    """The job that writes a user's archive, part by part; of a `dry_run` only the counts.

    `user` is forgotten when it ends; `subject` stands for them in the file's place. `rows` counts the lines
    by section, `bytes` those of all parts. `upload` collects the parts that were written at this `attempt`:
    one that lost them begins anew.
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
    revision: int = 0
    attempt: int = 1
    upload: str | None = None
    parts: int = 0
    at: ExportCursor = ExportCursor()

    @property
    def file_key(self) -> str:
        """Where the archive lies: below a prefix of the user's own, which their erasure removes."""
        return f"{exports_prefix(self.tenant, self.subject)}{self.job_id}.zip"

    @property
    def file_expires_at(self) -> datetime | None:
        """When the archive is removed; None where there is none."""
        return (
            self.ended_at + FILE_LIFETIME
            if self.ended_at and self.status == "done" and not self.dry_run
            else None
        )


def export_due(export: Export) -> Event:
    """Return what wakes the function that exports; it names the job and nobody else."""
    return Event(
        event_id=f"{export.job_id}-{export.revision}",
        tenant_id=export.tenant,
        user_id="-",
        type="export.due",
        occurred_at=export.requested_at,
        payload={"job_id": export.job_id},
    )


def exports_prefix(tenant: str, subject: str) -> str:
    return f"exports/{tenant}/{subject}/"


def user_exports_prefix(owner: Owner) -> str:
    return exports_prefix(owner.tenant, erasure_subject(owner.tenant, owner.user))


def copied_conversation_id(conversation_id: str, user: str) -> str:
    """Return the id of a user's copy of a conversation.

    Another for each user, at the same place in time order.
    """
    try:
        moment = ULID.from_str(conversation_id).bytes[:6]
    except ValueError:
        return natural_id("membus", user, conversation_id)
    return str(ULID(moment + hashlib.sha256(f"{user}\n{conversation_id}".encode()).digest()[:10]))


def natural_id(source: str, user: str, *parts: Any) -> str:
    """Return the id of the event that something becomes.

    The same however often it is read, another for each user.
    """
    identity = "\n".join((user, *map(str, parts)))
    return f"{source}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
