"""Export: one user's data as files in a zip, their manifest, and the job that writes them in parts."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, Field
from ulid import ULID

from membus.core.erasure import erasure_subject
from membus.core.event import Event
from membus.core.identity import Id, Owner, Record

EXPORT_SCHEMA = 2
"""Version of the files below; a reader refuses a later one instead of guessing. Version 1 had no pieces."""
MANIFEST = "manifest.json"
EVENTS, FACTS, CONVERSATIONS = "events.jsonl", "facts.jsonl", "conversations.jsonl"
DOCUMENTS, QUARANTINE, STATES = "documents.jsonl", "quarantine.jsonl", "states.jsonl"
SECTIONS = (EVENTS, FACTS, CONVERSATIONS, DOCUMENTS, QUARANTINE)
"""The sections in the order of writing; states are written with the events of their sessions."""


def piece_name(section: str, number: int) -> str:
    """Return the file name of a section's piece: `events.jsonl`, then `events-2.jsonl` and so on."""
    stem, dot, ending = section.partition(".")
    return section if number == 1 else f"{stem}-{number}{dot}{ending}"


def section_of(name: str) -> str:
    """Return the section of a file, `events.jsonl` for `events-2.jsonl`."""
    stem, dot, ending = name.partition(".")
    return f"{stem.partition('-')[0]}{dot}{ending}"


def number_of(name: str) -> int:
    """Return a file's number among the pieces of its section."""
    return int(name.partition(".")[0].partition("-")[2] or 1)


class FileEntry(Record):
    """One file of an export: its lines, its bytes and their SHA-256."""

    rows: int
    bytes: int
    sha256: str


class Manifest(Record):
    """The last file of an export, so that an export that was cut off has none."""

    format: Literal["membus-export"] = "membus-export"
    schema_version: int = EXPORT_SCHEMA
    membus: str
    tenant: Id
    user: Id
    created_at: AwareDatetime
    files: dict[str, FileEntry]


FILE_LIFETIME = timedelta(days=7)
"""How long an export file can be downloaded; the bucket's lifecycle says the same."""
JOB_PREFIX = "export_"
"""The prefix that tells export jobs from other jobs."""


class FilePiece(FileEntry):
    """A file in the zip: `packed` bytes after its header at `offset`."""

    name: str
    crc: int
    packed: int
    offset: int


class StoredPart(Record):
    """The store's receipt for an uploaded part, which completes the upload with just these bytes."""

    etag: str
    checksum: str | None = None


class ExportPart(Record):
    """What one step writes: whole files, or whole pieces of them."""

    number: int
    kept: StoredPart | None
    pieces: tuple[FilePiece, ...]


class ExportCursor(Record):
    """Where the next part starts: in a section, after the key `after`, with the piece of this number."""

    section: str = EVENTS
    piece: int = 1
    after: dict[str, str] | None = None


class Export(Record):
    """The job that writes a user's export file part by part; a `dry_run` only counts.

    `rows` counts lines by section, `bytes` those of all parts. `upload` collects the parts of this `attempt`:
    a job that loses them starts a new attempt. `user` is removed when the job ends; `subject` stays, in the
    file's key.
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
        """The file's key in S3, below a prefix of the user, which the user's erasure removes."""
        return f"{exports_prefix(self.tenant, self.subject)}{self.job_id}.zip"

    @property
    def file_expires_at(self) -> datetime | None:
        """When the export file is removed; None where there is none."""
        has_file = self.status == "done" and not self.dry_run
        return self.ended_at + FILE_LIFETIME if self.ended_at and has_file else None


def export_due(export: Export) -> Event:
    """Return the announcement that the job is due; it names the job and no user."""
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
    """Return the id of a user's copy of a conversation: one for each user, at the same moment."""
    try:
        moment = ULID.from_str(conversation_id).bytes[:6]
    except ValueError:
        return natural_id("membus", user, conversation_id)
    return str(ULID(moment + hashlib.sha256(f"{user}\n{conversation_id}".encode()).digest()[:10]))


def natural_id(source: str, user: str, *parts: Any) -> str:
    """Return an event id that follows from the user and the parts, so that a repeated import adds nothing."""
    identity = "\n".join((user, *map(str, parts)))
    return f"{source}-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
