"""Chat over a socket: answers come in frames, are stored, and belong to whoever's key opened it."""

from uuid import uuid4

import boto3
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from localstack.home import Stack
from membus.tenants.api_keys import Credential
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from tests.e2e.client import Client, eventually, now, somebody
from tests.e2e.conftest import NewKey
from tests.e2e.socket import at_once, first_to_hear, talking, text_of

pytestmark = pytest.mark.stack


def conversation(client: Client, user: str) -> str:
    answer = client.post("/v1/conversations", {"user_id": user})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["conversation_id"])


def chat(talk: str, content: str, **fields: object) -> dict[str, object]:
    return {"action": "chat", "conversation_id": talk, "content": content, **fields}


@pytest.fixture
def key(acme: Client) -> str:
    return str(acme.http.headers["Authorization"].removeprefix("Bearer "))


def test_an_answer_streams_and_is_stored(stack: Stack, acme: Client, key: str) -> None:
    talk = conversation(acme, somebody())

    with talking(stack.ws_url, key) as socket:
        frames = socket.ask(chat(talk, "Tell me a story about a harbour.", request_id="r1"))

    done = frames[-1]
    assert done["type"] == "done", done
    assert (done["request_id"], done["conversation_id"]) == ("r1", talk)
    assert {frame["message_id"] for frame in frames} == {done["message"]["message_id"]}
    assert done["usage"]["output"] > 0
    assert done["context"]["total_tokens"] <= done["context"]["budget"]
    message = acme.get(f"/v1/conversations/{talk}/messages/{done['message_id']}").json()
    assert message["content"] == text_of(frames) != ""
    assert message["status"] == "complete"


def test_a_repeated_request_is_one_turn(stack: Stack, acme: Client, key: str) -> None:
    talk = conversation(acme, somebody())

    with talking(stack.ws_url, key) as socket:
        first = socket.ask(chat(talk, "Hello there!", request_id="once"))
        again = socket.ask(chat(talk, "Hello there!", request_id="once"))
        other = socket.ask(chat(talk, "Bye!", request_id="once"))

    assert text_of(first) == text_of(again)
    assert first[-1]["message"] == again[-1]["message"]
    assert other[-1]["code"] == "idempotency_mismatch"
    assert acme.get(f"/v1/conversations/{talk}").json()["message_count"] == 2


def test_tenants_share_nothing_over_a_socket(stack: Stack, acme: Client, zeta: Client, key: str) -> None:
    talk = conversation(acme, somebody())
    message = acme.post(f"/v1/conversations/{talk}/messages", {"content": "hi", "author": talk}).json()
    assert message["code"] == "not_a_member"

    with talking(stack.ws_url, zeta.http.headers["Authorization"].removeprefix("Bearer ")) as stranger:
        spoken = stranger.ask(chat(talk, "Hello?"))
        resumed = stranger.ask({"action": "resume", "conversation_id": talk, "message_id": "m"})

    assert [(frame["type"], frame["code"]) for frame in (*spoken, *resumed)] == [("error", "not_found")] * 2
    with talking(stack.ws_url, key) as owner:
        assert owner.ask(chat(talk, "Hello!"))[-1]["type"] == "done"


@pytest.mark.parametrize("bad", [None, "mb_local_nonsense", "mb_local_" + "a" * 12 + "_" + "b" * 38])
def test_invalid_key_opens_no_socket(stack: Stack, bad: str | None) -> None:
    with pytest.raises(InvalidStatus) as refused, talking(stack.ws_url, bad):
        pass

    assert refused.value.response.status_code == 401


def test_key_without_the_scope_opens_no_socket(stack: Stack, new_key: NewKey) -> None:
    reader = new_key(f"reader-{uuid4().hex[:8]}", scopes=("memory:read",))

    with pytest.raises(InvalidStatus) as refused, talking(stack.ws_url, reader):
        pass

    assert refused.value.response.status_code == 403


def test_a_browser_brings_its_key_as_a_subprotocol(stack: Stack, key: str) -> None:
    with talking(stack.ws_url, None, subprotocols=("membus.v1", f"bearer.{key}")) as socket:
        assert socket.wire.subprotocol == "membus.v1"
        assert socket.ask({"action": "ping"})[0]["type"] == "pong"


def test_interrupted_stream_is_an_error_and_stored_incomplete(stack: Stack, acme: Client, key: str) -> None:
    talk = conversation(acme, somebody())

    with talking(stack.ws_url, key) as socket:
        frames = socket.ask(chat(talk, "[[fault:cut]] Tell me a long story about a harbour."))

    assert (frames[-1]["type"], frames[-1]["code"]) == ("error", "incomplete")
    message = acme.get(f"/v1/conversations/{talk}/messages/{frames[-1]['message_id']}").json()
    assert (message["status"], message["content"]) == ("incomplete", text_of(frames))
    assert text_of(frames)


def test_resume_returns_the_stored_reply(stack: Stack, acme: Client, key: str) -> None:
    talk = conversation(acme, somebody())
    with talking(stack.ws_url, key) as gone:
        gone.say(chat(talk, "Tell me a story about a lighthouse."))
        message_id = gone.hear()["message_id"]
    path = f"/v1/conversations/{talk}/messages/{message_id}"
    eventually(
        lambda: acme.get(path),
        lambda answer: answer.status_code == 200 and answer.json()["status"] == "complete",
    )

    with talking(stack.ws_url, key) as back:
        frames = back.ask({"action": "resume", "conversation_id": talk, "message_id": message_id})

    assert frames[-1]["type"] == "done"
    assert frames[-1]["message"]["message_id"] == message_id
    assert text_of(frames) == acme.get(path).json()["content"] != ""


def test_resume_of_a_pending_reply_says_so(stack: Stack, acme: Client, key: str) -> None:
    talk = conversation(acme, somebody())
    label = uuid4().hex[:8]
    question = chat(talk, f"[[fault:slow=8*1#{label}]] Good evening!", request_id=label)
    with talking(stack.ws_url, key) as one, talking(stack.ws_url, key) as other:
        at_once(one, other, {"action": "ping"})
        assert [socket.hear()["type"] for socket in (one, other)] == [
            "pong",
            "pong",
        ]  # neither has to start by now
        at_once(one, other, question)
        refused, answered = first_to_hear(one, other)
        twice = refused.hear()
        message_id = twice["detail"].rsplit(" ", 1)[1]
        resume = {"action": "resume", "conversation_id": talk, "message_id": message_id}
        early = refused.ask(resume)
        while answered.hear()["type"] != "done":
            pass
        late = refused.ask(resume)

    assert twice["code"] == "in_progress"
    assert [(frame["type"], frame["code"]) for frame in early] == [("error", "pending")]
    assert late[-1]["type"] == "done"
    assert acme.get(f"/v1/conversations/{talk}").json()["message_count"] == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ('{"action": "ping", "action": "chat"}', "invalid_json"),
        ('{"action": "dance"}', "unknown_action"),
        ("{}", "unknown_action"),
        ("[]", "invalid"),
        ('{"action": "chat", "conversation_id": "a#b", "content": "x"}', "invalid"),
        ('{"action": "chat", "conversation_id": "c", "content": "x", "tenant_id": "t"}', "invalid"),
        ('{"action": "chat", "conversation_id": "nowhere", "content": "x"}', "not_found"),
        (
            '{"action": "chat", "conversation_id": "c", "content": "' + "x" * 131_072 + '"}',
            "payload_too_large",
        ),
    ],
)
def test_invalid_frame_is_an_error_and_the_socket_stays_open(
    stack: Stack, key: str, message: str, code: str
) -> None:
    with talking(stack.ws_url, key) as socket:
        (frame,) = socket.ask(message)
        assert (frame["type"], frame["code"]) == ("error", code)
        assert socket.ask({"action": "ping"})[0]["type"] == "pong"


def test_revoked_key_is_refused_at_the_next_message(
    stack: Stack, session: boto3.Session, new_key: NewKey
) -> None:
    short = new_key(f"short-{uuid4().hex[:8]}")
    keys = DynamoApiKeys(
        session.resource("dynamodb", endpoint_url=stack.endpoint_url).Table(stack.tables.tenants)
    )

    with talking(stack.ws_url, short) as socket:
        assert socket.ask({"action": "ping"})[0]["type"] == "pong"
        keys.revoke_key(Credential.parse(short).key_id, at=now())

        assert socket.ask({"action": "ping"})[0]["code"] == "unauthorized"
        with pytest.raises(ConnectionClosed):
            socket.hear()
