"""From the request for an erasure on no route shows the user, at the cost of one read of the ledger."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from membus.conversations.summary import Chapter, SummaryCheckpoint, SummaryIndex
from membus.core.identity import Owner
from membus.erasure.model import new_erasure_job
from membus.search.model import Document
from tests.factories import (
    ADA,
    NOON,
    a_conversation,
    a_summary,
    a_turn,
    an_event,
    an_observation,
    learn,
    recorded,
)
from tests.fakes.model import ScriptedModel
from tests.support.api_client import EVERYDAY, ApiTestClient, ApiTestResponse
from tests.support.memories import a_memory, fill
from tests.support.tool_calls import call

CANARY = "canary"
GRACE = Owner(tenant="acme", user="grace")
Ask = Callable[[ApiTestClient], ApiTestResponse]


@pytest.fixture
def door(door: ApiTestClient) -> ApiTestClient:
    """Return the door of a tenant of two, each with a conversation of their own, and one that they share."""
    door.scopes = (*EVERYDAY, "admin")
    for owner, word in ((ADA, CANARY), (GRACE, "tea")):
        learn(door.facts, owner, an_observation(word))
        event = an_event(f"{owner.user}-1", owner=owner, payload={"text": word})
        door.episodes.record_event(recorded(event), extracted="v1")
        fill(door.memories, a_memory(f"{owner.user}-fact", f"likes {word}", kind="fact", user_id=owner.user))
        fill(door.memories, a_memory(f"mem_{owner.user}", f"likes {word}", user_id=owner.user))
        fields = {"text": f"likes {word}", "user_id": owner.user, "created_at": NOON, "updated_at": NOON}
        door.documents.put(Document(memory_id=f"mem_{owner.user}", tenant_id="acme", **fields))
        talked(door, owner.user, owner, word)
        state = {"data": {"likes": word}, "user_id": owner.user}
        assert door.put(f"/v1/agents/guide/sessions/{word}/state", state).status == 200
    talked(door, "ours", GRACE, CANARY, members=("ada",))
    told = a_memory("summary:ours:0:a", f"They like {CANARY}", kind="summary", user_id="grace")
    fill(
        door.memories,
        told.model_copy(update={"source": told.source.model_copy(update={"conversation_id": "ours"})}),
    )
    door.clock.advance(timedelta(hours=1))
    return door


def talked(door: ApiTestClient, name: str, owner: Owner, word: str, *, members: tuple[str, ...] = ()) -> None:
    talk = a_conversation(name, user_id=owner.user, members=members, title=word)
    door.conversations.create_conversation(talk, request_key=name)
    turn = a_turn(1, content=f"I like {word}")
    door.conversations.add_turn("acme", name, turn, request_key=f"turn-{name}", title=None)
    read = door.summaries.get_index("acme", name)
    chapter = Chapter(level=0, first="a", last="b", text=f"They like {word}")
    outline = SummaryIndex(
        borders=(SummaryCheckpoint(version=1, until=turn.assistant.message_id),), chapters=(chapter,)
    )
    door.summaries.save_index("acme", name, outline, read=read, summaries=[a_summary(f"They like {word}")])


def erased(door: ApiTestClient) -> None:
    door.erasures.start_job(
        new_erasure_job("acme", "ada", request_key=None, requested_by="k1", now=door.clock())
    )
    door.erasures.looked = door.erasures.asked = 0


LISTS: dict[str, Ask] = {
    "sessions": lambda door: door.get("/v1/agents/guide/sessions"),
    "search": lambda door: door.post("/v1/search", {"query": f"who likes {CANARY} or tea"}, key=None),
    "conversations": lambda door: door.get("/v1/conversations"),
    "documents": lambda door: door.get("/v1/memories"),
    "episodes": lambda door: door.get("/v1/agents/default/episodes", "from=2026-02-01T00:00:00Z"),
}


@pytest.mark.parametrize("route", LISTS)
def test_listing_leaves_out_users_being_erased_and_nobody_else(door: ApiTestClient, route: str) -> None:
    assert CANARY in LISTS[route](door).text
    erased(door)

    answer = LISTS[route](door)

    assert answer.status == 200
    assert CANARY not in answer.text
    assert "tea" in answer.text
    assert (door.erasures.looked, door.erasures.asked) == (1, 0)


SHOWN: dict[str, Ask] = {
    "profile": lambda door: door.get("/v1/users/ada/profile"),
    "facts": lambda door: door.get("/v1/users/ada/facts"),
    "fact": lambda door: door.get("/v1/users/ada/facts/home.city"),
    "history": lambda door: door.get("/v1/users/ada/facts/home.city/history"),
    "quarantine": lambda door: door.get("/v1/users/ada/quarantine"),
    "search": lambda door: door.post("/v1/search", {"query": CANARY, "user_id": "ada"}, key=None),
    "their conversations": lambda door: door.get("/v1/conversations", "user_id=ada"),
    "conversation": lambda door: door.get("/v1/conversations/ada"),
    "messages": lambda door: door.get("/v1/conversations/ada/messages"),
    "message": lambda door: door.get(f"/v1/conversations/ada/messages/{a_turn(1).user.message_id}"),
    "summary": lambda door: door.get("/v1/conversations/ada/summary"),
    "handoff": lambda door: door.get("/v1/conversations/ada/handoff"),
    "context": lambda door: door.get("/v1/conversations/ada/context"),
    "an old prompt": lambda door: door.get(
        f"/v1/conversations/ada/messages/{a_turn(1).assistant.message_id}/context"
    ),
    "results of tools": lambda door: door.get(
        f"/v1/conversations/ada/messages/{a_turn(1).assistant.message_id}/results"
    ),
    "state": lambda door: door.get(f"/v1/agents/guide/sessions/{CANARY}/state"),
    "document": lambda door: door.get("/v1/memories/mem_ada"),
    "a changed document": lambda door: door.patch("/v1/memories/mem_ada", {"metadata": {"a": 1}}),
    "a renamed conversation": lambda door: door.patch("/v1/conversations/ada", {"title": "x"}),
    "their episodes": lambda door: door.get("/v1/agents/default/episodes", "user_id=ada"),
    "export": lambda door: door.post("/v1/users/ada:export", {}),
}


@pytest.mark.parametrize("route", SHOWN)
def test_data_of_a_user_being_erased_is_absent_at_once(door: ApiTestClient, route: str) -> None:
    erased(door)

    answer = SHOWN[route](door)

    assert answer.status == 404, answer.text
    assert CANARY not in answer.text
    assert (door.erasures.looked, door.erasures.asked) == (1, 0)


SHARED: dict[str, Ask] = {
    "conversation": lambda door: door.get("/v1/conversations/ours"),
    "messages": lambda door: door.get("/v1/conversations/ours/messages"),
    "summary": lambda door: door.get("/v1/conversations/ours/summary"),
    "handoff": lambda door: door.get("/v1/conversations/ours/handoff"),
    "context": lambda door: door.get("/v1/conversations/ours/context"),
    "a turn": lambda door: door.post("/v1/conversations/ours/messages", {"content": "hm", "author": "grace"}),
}


@pytest.mark.parametrize("left", [False, True], ids=["a member", "one who left"])
@pytest.mark.parametrize("route", SHARED)
def test_shared_conversation_is_unavailable_until_its_participant_is_erased(
    door: ApiTestClient, route: str, *, left: bool
) -> None:
    if left:
        known = door.conversations.get_conversation("acme", "ours")
        door.conversations.update_conversation(known, known.model_copy(update={"members": (), "version": 2}))
    erased(door)

    answer = SHARED[route](door)

    assert (answer.status, answer.code) == (503, "erasing")
    assert int(answer.headers["retry-after"]) > 0
    assert CANARY not in answer.text


def test_export_of_a_user_being_erased_has_no_link(door: ApiTestClient) -> None:
    where = door.post("/v1/users/ada:export", {}).headers["location"]
    assert door.get(where).status == 200

    erased(door)

    assert door.get(where).status == 404


def test_archive_query_leaves_out_users_being_erased(door: ApiTestClient) -> None:
    erased(door)
    door.model = ScriptedModel([call("query_archive", sql="SELECT 1 FROM episodes")], "None.")

    said = door.post("/v1/conversations/grace/messages", {"content": "How many?", "author": "grace"})

    assert said.status == 200

    assert [asked.without for asked in door.archive.asked] == [("ada",)]


def test_request_reads_nothing_more_while_nobody_is_erased(door: ApiTestClient) -> None:
    for ask in (*LISTS.values(), SHOWN["conversation"], SHOWN["messages"], SHOWN["context"]):
        door.erasures.looked = door.erasures.asked = 0
        assert ask(door).status == 200
        assert (door.erasures.looked, door.erasures.asked) == (1, 0)
