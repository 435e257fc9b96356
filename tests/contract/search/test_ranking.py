"""The ranking over both indexes: a conversation of two people, queried long after."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from membus.core.event import Event
from membus.search.memory_projection import project_event
from membus.search.model import Memory
from membus.search.ports import MemoryIndex
from tests.support.memories import fill, look

BEGIN = datetime(2025, 3, 3, 9, tzinfo=UTC)
SITTINGS = (
    (
        "Nina: Did the ferry to the island run on Saturday?",
        "Oskar: It did not, the storm kept it in port.",
        "Nina: Pity. My sister waited with the picnic.",
        "Oskar: Next time I bring an umbrella.",
    ),
    (
        "Oskar: I finally sold the old boat.",
        "Nina: To whom?",
        "Oskar: A teacher from Bergen.",
        "Nina: What will you buy instead?",
        "Oskar: A kayak, a red one.",
    ),
    (
        "Nina: The pottery class begins again.",
        "Oskar: Which evening?",
        "Nina: Thursdays, seven o'clock.",
        "Oskar: I would rather paint.",
        "Nina: You always say so about everything.",
    ),
)
ASKED = [
    ("Who bought the old boat?", {"s2-m1", "s2-m2", "s2-m3"}),
    ("Why did the ferry stay in port?", {"s1-m1", "s1-m2"}),
    ("On which evening is the pottery class?", {"s3-m1", "s3-m2", "s3-m3"}),
    ("What did Oskar say of an umbrella?", {"s1-m4"}),
    ("What happened in May 2025?", {"s2-m1"}),
]


def conversation(tenant: str, *, apart: timedelta) -> Iterator[Memory]:
    """Return the memories of a transcript as a client sends it.

    A session for each sitting, a month between them.
    """
    for number, texts in enumerate(SITTINGS, start=1):
        for place, text in enumerate(texts, start=1):
            yield from project_event(
                Event(
                    event_id=f"s{number}-m{place}",
                    tenant_id=tenant,
                    user_id="nina",
                    session_id=f"s{number}",
                    type="message.sent",
                    occurred_at=BEGIN + number * timedelta(days=31) + place * apart,
                    payload={"text": text},
                )
            )


@pytest.mark.parametrize(("question", "evidence"), ASKED)
def test_evidence_ranks_among_the_first(
    index: MemoryIndex, tenant: str, question: str, evidence: set[str]
) -> None:
    fill(index, *conversation(tenant, apart=timedelta(minutes=1)))

    first = look(index, question, tenant=tenant)[: len(evidence) + 2]

    assert {f"event:nina/{each}" for each in evidence} <= set(first)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(seconds=1)], ids=["in one moment", "in turn"])
def test_distant_message_is_no_neighbour(index: MemoryIndex, tenant: str, apart: timedelta) -> None:
    talk = [
        *(said(tenant, number, "Nothing to tell of.", apart) for number in range(1, 10) if number != 2),
        said(tenant, 2, "Where is the lantern?", apart),
        *(said(tenant, n, "Hm, well.", apart) for n in (10, 11, 12)),
    ]
    fill(index, *talk)

    order = look(index, "Where is the lantern?", tenant=tenant)

    assert order.index("event:nina/m3") < order.index("event:nina/m10")
    assert order.index("event:nina/m3") < order.index("event:nina/m12")


def said(tenant: str, number: int, text: str, apart: timedelta) -> Memory:
    event = Event(
        event_id=f"m{number}",
        tenant_id=tenant,
        user_id="nina",
        session_id="s",
        type="message.sent",
        occurred_at=BEGIN + number * apart,
        payload={"text": text},
    )
    return project_event(event)[0]


def test_sessions_of_one_name_belong_to_their_users(index: MemoryIndex, tenant: str) -> None:
    mine, theirs = (
        said(tenant, 1, "Where is the lantern?", timedelta(0)),
        said(tenant, 2, "In the shed.", timedelta(0)),
    )
    other = said(tenant, 3, "By the river.", timedelta(0)).model_copy(update={"user_id": "oskar"})
    fill(index, mine, theirs, other)

    order = look(index, "lantern", tenant=tenant, mode="text")
    everything = look(index, "Where is the lantern?", tenant=tenant)

    assert order == ["event:nina/m1"]
    assert everything.index("event:nina/m2") < everything.index("event:nina/m3")
