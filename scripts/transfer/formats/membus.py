"""An export file of membus: events, from which facts are derived again, and what else it holds as it was.

Facts and review items are in the file for people and other systems: they follow from the events.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from membus.core.errors import InvalidError
from membus.core.event import RecordedEvent
from membus.transfer.model import (
    CONVERSATIONS,
    DOCUMENTS,
    EVENTS,
    EXPORT_SCHEMA,
    FACTS,
    MANIFEST,
    QUARANTINE,
    STATES,
    Manifest,
    number_of,
    section_of,
)
from scripts.transfer.rows import (
    ArchiveRow,
    ImportableEvent,
    ImportRow,
    RejectedRow,
    SkippedRow,
)
from scripts.validation import explain_invalid

ORDER = (EVENTS, STATES, CONVERSATIONS, DOCUMENTS, FACTS, QUARANTINE)
DERIVED = {
    FACTS: "a fact: derived again from its events",
    QUARANTINE: "a review item: read again in its event",
}


def read_archive(path: Path) -> Iterator[ImportRow]:
    """Yield the events, then what else there is; the file is compared with its manifest first.

    Raises:
        InvalidError: it is not an export file, of a later version, or differs from its manifest.
    """
    try:
        with ZipFile(path) as archive:
            manifest = _read_manifest(archive)
            for name in sorted(
                manifest.files, key=lambda name: (ORDER.index(section_of(name)), number_of(name))
            ):
                with archive.open(name) as lines:
                    for number, line in enumerate(lines, 1):
                        yield _parse_row(f"{name}, line {number}", section_of(name), line, manifest)
    except (BadZipFile, KeyError, ValueError) as error:
        raise InvalidError(f"{path} is no archive of membus, or was cut off: {error}") from error


def _read_manifest(archive: ZipFile) -> Manifest:
    """Return the manifest once every file has the checksum in it."""
    fields = json.loads(archive.read(MANIFEST))
    if not isinstance(fields, dict) or fields.get("format") != "membus-export":
        raise InvalidError("its manifest is not one of membus")
    if (version := fields["schema_version"]) > EXPORT_SCHEMA:
        raise InvalidError(f"it was written at version {version}, this membus reads up to {EXPORT_SCHEMA}")
    manifest = Manifest.model_validate(fields)
    for name, entry in manifest.files.items():
        opened: Any = archive.open(name)
        with opened as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
                raise InvalidError(f"its {name} differs from the checksum in its manifest")
    return manifest


def _parse_row(where: str, section: str, line: bytes, manifest: Manifest) -> ImportRow:
    if section == EVENTS:
        return _parse_event(where, line)
    if section in DERIVED:
        return SkippedRow(where, DERIVED[section])
    return ArchiveRow(where, section, manifest.user, manifest.created_at, json.loads(line))


def _parse_event(where: str, line: bytes) -> ImportRow:
    try:
        recorded = RecordedEvent.model_validate_json(line)
    except ValidationError as error:
        return RejectedRow(where, explain_invalid(error))
    event = recorded.event
    return ImportableEvent(
        where,
        event.event_id,
        event.user_id,
        event.type,
        event.occurred_at,
        event.payload,
        agent=event.agent_id,
        session=event.session_id,
        origin=event.origin,
        remember=event.remember,
        learned_at=recorded.learned_at,
    )
