"""Work that outlasts a request: how far it has come, and what it proves in the end."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from membus.domain.identity import Id, Record

JobKind = Literal["erasure"]
JobStatus = Literal["running", "settling", "done", "failed"]


class ErasureReceipt(Record):
    """What a query of every store found `left` of the subject, and when copies that no query reaches have rotated.

    `rotates` names each of them with the day on which the last copy is gone; `final` is the latest of these
    days.
    """

    proven_at: AwareDatetime
    left: dict[str, int]
    rotates: dict[str, date]
    final: date


class ErasureJob(Record):
    """`removed` counts by store; after a crash it may fall short, never the receipt.

    It goes through all stores three times: it erases, waits until nobody runs who has not heard of it, erases
    again, and proves. `passed` counts the rounds; `store` and `cursor` say where it goes on. `user` is
    forgotten with the last step. `revision` guards each change.
    """

    job_id: Id
    kind: JobKind = "erasure"
    tenant: Id
    user: Id | None
    subject: str
    status: JobStatus = "running"
    requested_at: AwareDatetime
    requested_by: str
    before: AwareDatetime
    updated_at: AwareDatetime
    settles_at: AwareDatetime | None = None
    passed: int = 0
    store: int = 0
    cursor: str = ""
    removed: dict[str, int] = Field(default_factory=dict)
    left: dict[str, int] = Field(default_factory=dict)
    receipt: ErasureReceipt | None = None
    revision: int = 1


def add_counts(known: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return {name: known.get(name, 0) + more.get(name, 0) for name in sorted({*known, *more})}
