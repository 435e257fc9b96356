"""What stands for the part of a conversation that no window shows.

Its outline, slots, and each summary's check.
"""

from pydantic import AwareDatetime, BaseModel

from functions.memory.conversations import PageRequest
from functions.memory.cursors import read_cursor, write_cursor
from membus.domain.summary import Chapter, Slot, SlotKind, Summary, SummaryVerification
from membus.errors import NotFoundError
from membus.ports.summaries import SummaryReader


class SummaryOut(BaseModel):
    """A summary with the slots it was checked for.

    What it had lost stands word for word at the end of `text`.
    """

    level: int
    first: str
    last: str
    text: str
    slots: list[Slot]
    verification: SummaryVerification
    version: int
    model: str
    prompt_version: str
    created_at: AwareDatetime

    @classmethod
    def of(cls, summary: Summary) -> "SummaryOut":
        return cls.model_validate(summary.model_dump() | {"text": summary.whole})


class SummaryPage(BaseModel):
    """`chapters` and `slots` are what a prompt shows of this version.

    `items` are all summaries ever, by level.

    Everything up to message `until` is covered: `messages` of them, `tokens` by estimate.
    """

    version: int
    until: str | None
    messages: int
    tokens: int
    created_at: AwareDatetime | None
    chapters: list[Chapter]
    slots: dict[SlotKind, list[Slot]]
    items: list[SummaryOut]
    next_cursor: str | None


def read_summary(
    tenant: str, conversation_id: str, version: int | None, *, listing: PageRequest, summaries: SummaryReader
) -> SummaryPage:
    """Return the outline, the newest or one of its versions, and a page of summaries.

    NotFoundError for no version.
    """
    query = f"summary\n{tenant}\n{conversation_id}"
    after = read_cursor(listing.cursor, query=query, sealer=listing.sealer)
    outline = summaries.outline(tenant, conversation_id, version)
    if version is not None and outline.border.version != version:
        raise NotFoundError("no such version of the summary")
    page = summaries.summaries(tenant, conversation_id, limit=listing.limit, after=after)
    slots: dict[SlotKind, list[Slot]] = {}
    for slot in outline.slots:
        slots.setdefault(slot.kind, []).append(slot)
    return SummaryPage(
        **outline.border.model_dump(),
        created_at=outline.created_at,
        chapters=list(outline.chapters),
        slots=slots,
        items=[SummaryOut.of(summary) for summary in page.items],
        next_cursor=write_cursor(page.after, query=query, sealer=listing.sealer),
    )
