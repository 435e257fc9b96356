"""membus's own archive: its events, from which facts are derived again, and what is no event as it was.

Facts and what waits in quarantine are for people and other systems to read: they follow from the events.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
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
from scripts.transfer.rows import ArchiveRow, ImportableEvent, ImportRow, RejectedRow, SkippedRow

CHUNK = 1 << 20
ORDER = (EVENTS, STATES, CONVERSATIONS, DOCUMENTS, FACTS, QUARANTINE)
DERIVED = {FACTS: "a fact: derived again from its events", QUARANTINE: "held back: read again in its event"}


def read(path: Path) -> Iterator[ImportRow]:
    """Yield events, then what else there is; the archive is compared with its manifest first.

    Raises:
        InvalidError: it is no archive, of a later version, or not what its manifest vouches for.
    """
    try:
        with ZipFile(path) as archive:
            manifest = _manifest(archive)
            _verify(archive, manifest)
            for name in sorted(manifest.files, key=_order):
                with archive.open(name) as lines:
                    for number, line in enumerate(lines, 1):
                        yield _row(f"{name}, line {number}", section_of(name), line, manifest)
    except (BadZipFile, KeyError, ValueError) as error:
        raise InvalidError(f"{path} is no archive of membus, or was cut off: {error}") from error


def _manifest(archive: ZipFile) -> Manifest:
    told = json.loads(archive.read(MANIFEST))
    if not isinstance(told, dict) or told.get("format") != "membus-export":
        raise InvalidError("its manifest is not one of membus")
    if told["schema_version"] > EXPORT_SCHEMA:
        raise InvalidError(
            f"it was written at version {told['schema_version']}, this membus reads up to {EXPORT_SCHEMA}"
        )
    return Manifest.model_validate(told)


def _verify(archive: ZipFile, manifest: Manifest) -> None:
    for name, entry in manifest.files.items():
        digest = hashlib.sha256()
        with archive.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != entry.sha256:
            raise InvalidError(f"its {name} is not what its manifest vouches for")


def _order(name: str) -> tuple[int, int]:
    return ORDER.index(section_of(name)), number_of(name)


def _row(where: str, section: str, line: bytes, manifest: Manifest) -> ImportRow:
    if section == EVENTS:
        return _event(where, line)
    if section in DERIVED:
        return SkippedRow(where, DERIVED[section])
    fields = json.loads(line)
    return ArchiveRow(where, section, manifest.user, manifest.created_at, fields)


def _event(where: str, line: bytes) -> ImportRow:
    try:
        recorded = RecordedEvent.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        return RejectedRow(where, f"{'.'.join(map(str, first['loc'])) or 'event'}: {first['msg']}")
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
