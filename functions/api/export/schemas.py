"""The wire format of export jobs."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from membus.transfer.model import Export
from membus.transfer.ports import ExportFiles

LINK_LIFETIME = timedelta(minutes=15)
"""Long enough to begin a download; whoever asks for the job again gets a new one."""


class ExportOut(BaseModel):
    """`running`, then `done` with the address of the archive, or `failed` for good."""

    job_id: str
    kind: Literal["export"]
    status: Literal["running", "done", "failed"]
    requested_at: AwareDatetime
    rows: dict[str, int] = Field(description="lines by file of the archive")
    bytes: int
    url: str | None = Field(
        description="of the archive, a zip; whoever has it can fetch it until `url_expires_at`"
    )
    url_expires_at: AwareDatetime | None
    gone_at: AwareDatetime | None = Field(description="when the archive is removed")
    reason: str | None

    @classmethod
    def from_export(cls, export: Export, *, archives: ExportFiles, now: datetime) -> "ExportOut":
        fetchable = export.file_expires_at is not None and now < export.file_expires_at
        url = (
            archives.create_link(export.file_key, seconds=int(LINK_LIFETIME.total_seconds()))
            if fetchable
            else None
        )
        known = export.model_dump(include={"job_id", "status", "requested_at", "rows", "bytes", "reason"})
        return cls(
            **known,
            kind="export",
            url=url,
            url_expires_at=now + LINK_LIFETIME if fetchable else None,
            gone_at=export.file_expires_at,
        )
