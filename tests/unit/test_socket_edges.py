"""Chat over a socket at its edges.

The longest answer, two sockets at once, a key that goes, what is asked back.
"""

import json

import pytest

from membus.llm.prompt import Prompt
from membus.tenants.api_keys import ApiScope
from tests.factories import NOON, a_conversation
from tests.fakes.model import ScriptedModel
from tests.fakes.sockets import ImmediateTurnQueue
from tests.support.api_client import ApiTestClient
from tests.support.websocket_client import Frame, WebSocketTestClient

HELLO = {"action": "chat", "conversation_id": "c", "content": "Good day!", "request_id": "r1"}
FRAME_BYTES = 128 * 1024
"""What API Gateway carries in one message to a client."""


@pytest.fixture
def wire(door: ApiTestClient) -> WebSocketTestClient:
    door.conversations.create_conversation(a_conversation("c", members=("bob",)), request_key="c")
    door.conversations.create_conversation(a_conversation("d"), request_key="d")
    return WebSocketTestClient(door).open()


def text_of(frames: list[Frame]) -> str:
    return "".join(frame["text"] for frame in frames if frame["type"] == "delta")


@pytest.mark.parametrize("letter", ["a", "語", '"', "\U0001f600"])
def test_an_answer_longer_than_any_frame_comes_whole_in_frames_that_fit(
    wire: WebSocketTestClient, letter: str
) -> None:
    answer = letter * 300_000
    wire.door.model = ScriptedModel(answer)

    frames = wire.say(HELLO)
    again = wire.say(resume(frames[0]["message_id"]))

    assert text_of(frames) == text_of(again) == answer
    assert max(map(len, wire.door.push.heard[wire.connection_id])) <= FRAME_BYTES
    (learned,) = [each for each in wire.door.bus.published if each.type == "turn.recorded"]
    assert answer.startswith(learned.payload["assistant"]["text"])
    assert (frames[-1]["type"], again[-1]["type"]) == ("done", "done")


def test_a_message_beyond_its_own_or_the_gateways_limit_is_refused(
    wire: WebSocketTestClient,
) -> None:
    (too_long,) = wire.say(HELLO | {"content": "word " * 10_000})
    (too_large,) = wire.say(json.dumps(HELLO | {"content": "x" * FRAME_BYTES}))

    assert (too_long["code"], too_large["code"]) == ("message_too_long", "payload_too_large")
    assert wire.door.model.prompts == []


def test_two_sockets_in_one_conversation_each_get_their_own_answer(
    wire: WebSocketTestClient,
) -> None:
    other = WebSocketTestClient(wire.door, connection_id="w2=").open()

    mine, theirs = wire.say(HELLO), other.say(HELLO | {"author": "bob", "request_id": "r2"})

    assert {frame["request_id"] for frame in mine} == {"r1"}
    assert {frame["request_id"] for frame in theirs} == {"r2"}
    assert len(wire.door.push.heard[wire.connection_id]) == len(mine)
    said = wire.door.conversations.list_recent_messages("acme", "c", limit=9)
    assert [message.author for message in said if message.role == "user"] == ["ada", "bob"]


def test_the_same_request_on_a_second_socket_is_one_model_call(
    wire: WebSocketTestClient,
) -> None:
    other, door = WebSocketTestClient(wire.door, connection_id="w2=").open(), wire.door
    door.turns = ImmediateTurnQueue(lambda _: None)
    assert wire.say(HELLO) == []

    (busy,) = other.say(HELLO)
    (mismatch,) = other.say(HELLO | {"content": "Good night!"})
    door.work({"turn": door.turns.begun[0]})

    assert (busy["code"], mismatch["code"]) == ("in_progress", "idempotency_mismatch")
    assert text_of(wire.door.push.frames(wire.connection_id)) == "Good morning."
    assert len(door.model.prompts) == 1


def test_a_key_revoked_during_an_answer_gets_all_of_it_and_nothing_more(
    wire: WebSocketTestClient,
) -> None:
    def revoking(_: Prompt) -> str:
        wire.door.keys.revoke_key("k1", at=NOON)
        return "Good morning."

    wire.door.model = ScriptedModel(revoking)

    assert wire.say(HELLO)[-1]["type"] == "done"
    (refused,) = wire.say(HELLO | {"request_id": "r2"})
    assert refused["code"] == "unauthorized"
    assert wire.connection_id in wire.door.push.gone


def resume(message_id: str, conversation_id: str = "c", **fields: str) -> Frame:
    return {"action": "resume", "conversation_id": conversation_id, "message_id": message_id, **fields}


def test_a_message_is_resumed_by_members_in_its_own_conversation_alone(
    wire: WebSocketTestClient,
) -> None:
    message_id = wire.say(HELLO)[0]["message_id"]
    stranger = WebSocketTestClient(
        wire.door, connection_id="w3=", tenant="zeta", key_id="k3", scopes=(ApiScope.CHAT,)
    ).open()

    refusals = [
        wire.say(resume("nothing-of-that-name")),
        wire.say(resume(message_id, "d")),
        wire.say(resume(message_id, "e")),
        wire.say(resume(message_id, author="eve")),
        stranger.say(resume(message_id)),
    ]

    assert [[frame["code"] for frame in frames] for frames in refusals] == [
        ["not_found"],
        ["not_found"],
        ["not_found"],
        ["not_a_member"],
        ["not_found"],
    ]
    assert text_of(wire.say(resume(message_id, author="bob"))) == "Good morning."
