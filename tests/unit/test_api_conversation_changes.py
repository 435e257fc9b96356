"""/v1/conversations/{id}: renamed, archived, shared, deleted, and read as the user who is named."""

from typing import Any
from uuid import uuid4

import pytest

from membus.conversations.conversation import Conversation
from membus.core.errors import ConflictError
from tests.factories import a_conversation, a_turn
from tests.support.api_client import ApiTestClient, ApiTestResponse

TALK = "/v1/conversations/c"


@pytest.fixture
def talk(door: ApiTestClient) -> Conversation:
    """Return Ada's conversation with Bob."""
    return door.conversations.create_conversation(
        a_conversation("c", members=("bob",)), request_key=uuid4().hex
    )


def delete(door: ApiTestClient, path: str = TALK, query: str = "") -> ApiTestResponse:
    return door.call("DELETE", path, headers={}, query=query)


def patch_as(door: ApiTestClient, user: str, body: Any) -> ApiTestResponse:
    return door.call("PATCH", TALK, headers={}, query=f"user_id={user}", body=body)


@pytest.mark.usefixtures("talk")
def test_a_conversation_is_renamed_archived_and_shared_in_one_request(door: ApiTestClient) -> None:
    changed = door.patch(TALK, {"title": "Trip", "status": "archived", "members": ["eve"]})

    assert changed.status == 200
    told = {name: changed.json[name] for name in ("title", "status", "members", "version", "user_id")}
    assert told == {"title": "Trip", "status": "archived", "members": ["eve"], "version": 2, "user_id": "ada"}
    assert door.get(TALK).json == changed.json
    assert door.get("/v1/conversations", "status=archived").json["items"] == [changed.json]


@pytest.mark.usefixtures("talk")
def test_field_that_a_change_does_not_name_stays(door: ApiTestClient) -> None:
    door.patch(TALK, {"title": "Trip"})
    door.patch(TALK, {"status": "archived"})

    changed = door.patch(TALK, {"status": "active", "title": None, "members": None}).json

    assert (changed["title"], changed["members"], changed["version"]) == ("Trip", ["bob"], 4)


@pytest.mark.usefixtures("talk")
def test_a_change_that_changes_nothing_makes_no_version(door: ApiTestClient) -> None:
    assert door.patch(TALK, {"status": "active", "members": ["bob"]}).json["version"] == 1


@pytest.mark.usefixtures("talk")
def test_the_last_member_can_be_taken_away(door: ApiTestClient) -> None:
    assert door.patch(TALK, {"members": []}).json["members"] == []
    assert door.get(TALK, "user_id=bob").code == "not_a_member"


@pytest.mark.usefixtures("talk")
def test_a_change_of_a_version_that_is_gone_is_a_conflict_that_names_the_current_one(
    door: ApiTestClient,
) -> None:
    door.patch(TALK, {"title": "First", "expected_version": 1})

    late = door.patch(TALK, {"title": "Second", "expected_version": 1})

    assert (late.status, late.code, late.json["current_version"]) == (409, "conflict", 2)
    assert door.get(TALK).json["title"] == "First"
    assert door.patch(TALK, {"title": "Second", "expected_version": 2}).json["version"] == 3


@pytest.mark.usefixtures("talk")
def test_a_change_may_name_the_version_it_knows_in_if_match(door: ApiTestClient) -> None:
    tag = door.get(TALK).headers["etag"]
    changed = door.patch(TALK, {"title": "First"}, **{"if-match": tag})

    late = door.patch(TALK, {"title": "Second"}, **{"if-match": tag})

    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert (late.status, late.code, late.json["current_version"]) == (409, "conflict", 2)
    assert door.patch(TALK, {"title": "Third", "expected_version": 2}, **{"if-match": tag}).status == 422


def test_change_that_lost_a_race_is_made_on_the_winner(
    door: ApiTestClient, talk: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, replace = door.conversations, door.conversations.update_conversation

    def beaten(before: Conversation, after: Conversation) -> None:
        monkeypatch.setattr(store, "update_conversation", replace)
        replace(talk, talk.model_copy(update={"title": "Theirs", "version": 2}))
        replace(before, after)

    monkeypatch.setattr(store, "update_conversation", beaten)

    changed = door.patch(TALK, {"status": "archived"}).json

    assert (changed["title"], changed["status"], changed["version"]) == ("Theirs", "archived", 3)


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("expected", [None, 1])
def test_change_that_always_loses_ends_as_unavailable(
    door: ApiTestClient, monkeypatch: pytest.MonkeyPatch, expected: int | None
) -> None:
    def lose(*_: object) -> None:
        raise ConflictError("somebody else was faster", version=2)

    monkeypatch.setattr(door.conversations, "update_conversation", lose)
    monkeypatch.setattr("time.sleep", lambda _: None)

    assert door.patch(TALK, {"title": "Trip", "expected_version": expected}).status == 503


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"expected_version": 1},
        {"title": None},
        {"title": ""},
        {"title": " \u200b"},
        {"title": "x" * 201},
        {"status": "deleted"},
        {"members": ["a#b"]},
        {"members": ["a"] * 49},
        {"members": "bob"},
        {"title": "x", "expected_version": 0},
        {"title": "x", "expected_version": "1"},
        {"user_id": "eve"},
        [],
    ],
)
@pytest.mark.usefixtures("talk")
def test_malformed_change_is_rejected(door: ApiTestClient, body: Any) -> None:
    answer = door.patch(TALK, body)

    assert (answer.status, answer.code) == (422, "invalid")
    assert door.get(TALK).json["version"] == 1


@pytest.mark.usefixtures("talk")
def test_a_deleted_conversation_is_gone_at_once_and_deleting_it_again_is_fine(door: ApiTestClient) -> None:
    door.conversations.add_turn("acme", "c", a_turn(), request_key="k", title=None)
    first = door.get(f"{TALK}/messages", "limit=1").json

    assert [delete(door).status, delete(door).status] == [204, 204]

    message = first["items"][0]["message_id"]
    for path, query in (
        (TALK, ""),
        (f"{TALK}/messages", ""),
        (f"{TALK}/messages", f"limit=1&cursor={first['next_cursor']}"),
        (f"{TALK}/messages/{message}", ""),
        (f"{TALK}/context", "message=hello"),
    ):
        assert (path, door.get(path, query).status) == (path, 404)
    assert door.patch(TALK, {"title": "Back"}).status == 404
    assert door.post(f"{TALK}/messages", {"content": "hello", "author": "ada"}).status == 404
    assert door.get("/v1/conversations").json["items"] == []


def test_missing_conversation_cannot_be_changed(door: ApiTestClient) -> None:
    assert (delete(door).status, delete(door, query="user_id=ada").status) == (404, 404)
    assert door.patch(TALK, {"title": "Phantom"}).status == 404
    assert door.get(TALK).status == 404


@pytest.mark.usefixtures("talk")
def test_another_tenant_changes_and_deletes_nothing(door: ApiTestClient) -> None:
    door.conversations.add_turn("acme", "c", a_turn(), request_key="k", title=None)
    before = door.get(TALK).json
    door.tenant = "zeta"

    refused = [
        delete(door),
        door.patch(TALK, {"title": "Mine"}),
        door.get(f"{TALK}/messages/{a_turn().user.message_id}"),
        door.get(f"{TALK}/messages", "order=newest"),
    ]

    assert [(each.status, each.code) for each in refused] == [(404, "not_found")] * 4
    assert door.get("/v1/conversations", "user_id=ada").json["items"] == []
    door.tenant = "acme"
    assert door.get(TALK).json == before


@pytest.mark.usefixtures("talk")
def test_owner_and_members_read_and_nobody_else(door: ApiTestClient) -> None:
    door.conversations.add_turn("acme", "c", a_turn(), request_key="k", title=None)
    paths = (TALK, f"{TALK}/messages", f"{TALK}/messages/{a_turn().user.message_id}")

    for user in ("ada", "bob"):
        assert [door.get(path, f"user_id={user}").status for path in paths] == [200] * 3
        assert len(door.get("/v1/conversations", f"user_id={user}").json["items"]) == 1
    for user in ("eve", "ad", "bobby"):
        assert [door.get(path, f"user_id={user}").code for path in paths] == ["not_a_member"] * 3
        assert door.get("/v1/conversations", f"user_id={user}").json["items"] == []
    assert door.get(f"{TALK}/context", "author=eve&message=hello").code == "not_a_member"


@pytest.mark.usefixtures("talk")
def test_the_owner_alone_changes_and_deletes(door: ApiTestClient) -> None:
    for user, code in (("bob", "not_the_owner"), ("eve", "not_a_member")):
        assert patch_as(door, user, '{"title": "Mine"}').code == code
        assert delete(door, query=f"user_id={user}").code == code

    assert patch_as(door, "ada", '{"title": "Mine"}').status == 200
    assert [delete(door, query="user_id=ada").status for _ in range(2)] == [204, 204]


@pytest.mark.usefixtures("talk")
def test_a_key_that_may_only_read_changes_nothing(door: ApiTestClient) -> None:
    door.scopes = ("memory:read",)

    assert (door.patch(TALK, {"title": "x"}).code, delete(door).code) == ("scope_missing", "scope_missing")


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("limit", [1, 3, 200])
def test_messages_are_read_from_either_end(door: ApiTestClient, limit: int) -> None:
    for number in range(2):
        door.conversations.add_turn("acme", "c", a_turn(number), request_key=f"k{number}", title=None)

    oldest, newest = (read(door, order, limit) for order in ("oldest", "newest"))

    assert oldest == newest[::-1]
    assert len(oldest) == 4


def read(door: ApiTestClient, order: str, limit: int) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        page = door.get(f"{TALK}/messages", f"order={order}&limit={limit}{cursor}").json
        found += [message["message_id"] for message in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.usefixtures("talk")
def test_a_cursor_belongs_to_its_order_and_its_user(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("d"), request_key=uuid4().hex)
    door.conversations.add_turn("acme", "c", a_turn(), request_key="k", title=None)
    message = door.get(f"{TALK}/messages", "limit=1").json["next_cursor"]
    listed = door.get("/v1/conversations", "limit=1&user_id=ada").json["next_cursor"]

    assert door.get(f"{TALK}/messages", f"order=newest&cursor={message}").code == "bad_cursor"
    assert door.get("/v1/conversations", f"cursor={listed}").code == "bad_cursor"
    assert door.get("/v1/conversations", f"user_id=bob&cursor={listed}").code == "bad_cursor"


@pytest.mark.usefixtures("talk")
def test_one_message_says_whether_it_is_complete(door: ApiTestClient) -> None:
    door.conversations.add_turn("acme", "c", a_turn(), request_key="k", title=None)

    found = door.get(f"{TALK}/messages/{a_turn().assistant.message_id}")

    assert (found.status, found.json["content"], found.json["status"]) == (200, "hi", "complete")
    assert door.get(f"{TALK}/messages/nothing").code == "not_found"
