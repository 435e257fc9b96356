"""GET /v1/conversations/…/summary.

Levels, slots and verification, for those who may read the conversation.
"""

import pytest

from membus.conversations.summary import Chapter, SummaryCheckpoint, SummaryIndex, SummaryVerification
from tests.factories import NOON, a_conversation, a_summary
from tests.support.api_client import ApiTestClient

PATH = "/v1/conversations/c/summary"


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """A conversation with two versions of its outline."""
    door.conversations.create_conversation(a_conversation("c", members=("bob",)), request_key="c")
    read = SummaryIndex()
    for version in (1, 2):
        summary = a_summary(
            f"Part {version}.",
            first=f"{version}a",
            last=f"{version}b",
            version=version,
            verification=SummaryVerification(slots=1, passes=2, lost_first=("Lisbon",), appended=("Lisbon",)),
        )
        border = SummaryCheckpoint(
            version=version, until=f"{version}b", tokens=10 * version, messages=2 * version
        )
        chapter = Chapter(level=0, first=summary.first, last=summary.last, text=summary.text)
        outline = SummaryIndex(
            borders=(*read.borders, border),
            chapters=(*read.chapters, chapter),
            slots=summary.slots,
            created_at=NOON,
        )
        door.summaries.save_index("acme", "c", outline, read=read, summaries=[summary])
        read = outline
    return door


def test_summary_has_levels_slots_and_its_verification(talk: ApiTestClient) -> None:
    shown = talk.get(PATH).json

    assert (shown["version"], shown["until"], shown["messages"], shown["tokens"]) == (2, "2b", 4, 20)
    assert [chapter["text"] for chapter in shown["chapters"]] == ["Part 1.", "Part 2."]
    assert [slot["text"] for slot in shown["slots"]["active_entities"]] == ["Lisbon"]
    (first, _) = shown["items"]
    assert first["text"] == "Part 1.\nWord for word: Lisbon"
    assert first["verification"] == {
        "slots": 1,
        "passes": 2,
        "lost_first": ["Lisbon"],
        "appended": ["Lisbon"],
    }


def test_older_summary_version_is_kept_unchanged(talk: ApiTestClient) -> None:
    assert [chapter["text"] for chapter in talk.get(PATH, "version=1").json["chapters"]] == ["Part 1."]
    assert (talk.get(PATH, "version=3").status, talk.get(PATH, "version=0").status) == (404, 422)


def test_summaries_come_in_pages(talk: ApiTestClient) -> None:
    first = talk.get(PATH, "limit=1").json
    second = talk.get(PATH, f"limit=1&cursor={first['next_cursor']}").json

    assert [page["items"][0]["version"] for page in (first, second)] == [1, 2]


def test_a_conversation_without_a_summary_says_so(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key="c")

    shown = door.get(PATH).json
    assert (shown["version"], shown["chapters"], shown["items"]) == (0, [], [])


def test_a_summary_is_for_those_who_may_read_the_conversation(talk: ApiTestClient) -> None:
    assert talk.get(PATH, "user_id=bob").status == 200
    assert talk.get(PATH, "user_id=eve").code == "not_a_member"
    talk.tenant = "zeta"
    assert talk.get(PATH).status == 404
