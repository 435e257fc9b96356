"""Chat over a socket: frames of an answer, in order, ended by `done` or `error`.

The tenant is the credential's.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from functions.chat.turn_records import REFUSAL_TEXT
from membus.conversations.reply_jobs import JobClaim, Lease, ReplyJob, RequestRef
from membus.core.errors import MembusError, ModelError, UnavailableError
from membus.erasure.model import new_erasure_job
from membus.llm.prompt import ModelEvent, Prompt, TextDelta
from membus.tenants.api_keys import ApiScope
from tests.factories import a_conversation
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient
from tests.support.websocket_client import Frame, WebSocketTestClient

HELLO = {"action": "chat", "conversation_id": "c", "content": "Good day!", "request_id": "r1"}


@pytest.fixture
def wire(door: ApiTestClient) -> WebSocketTestClient:
    door.conversations.create_conversation(
        a_conversation("c", members=("bob",), agent_id="guide"), request_key="c"
    )
    return WebSocketTestClient(door).open()


class BreakingModel(ScriptedModel):
    """Says its words and then breaks off."""

    def __init__(self, words: str, error: MembusError) -> None:
        super().__init__(words)
        self._error = error

    def stream_reply(
        self, prompt: Prompt, *, max_tokens: int, timeout_seconds: float
    ) -> Iterator[ModelEvent]:
        spoken: list[ModelEvent] = list(
            super().stream_reply(prompt, max_tokens=max_tokens, timeout_seconds=timeout_seconds)
        )
        yield from (event for event in spoken if isinstance(event, TextDelta))
        raise self._error


def text_of(frames: list[Frame]) -> str:
    return "".join(frame["text"] for frame in frames if frame["type"] == "delta")


def stored(door: ApiTestClient) -> list[tuple[str, str, str]]:
    return [
        (each.author, each.content, each.status)
        for each in door.conversations.list_recent_messages("acme", "c", limit=100)
    ]


def test_an_answer_comes_in_numbered_frames_and_ends_with_done(wire: WebSocketTestClient) -> None:
    frames = wire.say(HELLO)

    assert [frame["seq"] for frame in frames] == list(range(len(frames)))
    assert [frame["type"] for frame in frames][-2:] == ["usage", "done"]
    assert {(frame["request_id"], frame["conversation_id"]) for frame in frames} == {("r1", "c")}
    assert text_of(frames) == "Good morning."
    done = frames[-1]
    assert {frame["message_id"] for frame in frames} == {done["message"]["message_id"]}
    assert (done["stop_reason"], done["usage"]["input"], done["message"]["status"]) == (
        "end_turn",
        100,
        "complete",
    )
    assert "content" not in done["message"]


def test_the_turn_is_stored_under_the_ids_that_the_frames_named(wire: WebSocketTestClient) -> None:
    frames = wire.say(HELLO)

    message = wire.door.conversations.get_message("acme", "c", frames[0]["message_id"])
    assert message.content == "Good morning."
    assert stored(wire.door) == [("ada", "Good day!", "complete"), ("guide", "Good morning.", "complete")]
    assert [event.user_text for event in wire.door.bus.published] == ["Good day!"]


def test_the_owner_speaks_unless_somebody_else_is_named(wire: WebSocketTestClient) -> None:
    wire.say(HELLO)
    wire.say(HELLO | {"author": "bob", "request_id": "r2"})
    (refusal,) = wire.say(HELLO | {"author": "eve", "request_id": "r3"})

    assert [author for author, _, _ in stored(wire.door)][::2] == ["ada", "bob"]
    assert refusal["code"] == "not_a_member"


def test_the_same_request_id_gets_the_same_turn_for_one_call_of_the_model(wire: WebSocketTestClient) -> None:
    first, again = wire.say(HELLO), wire.say(HELLO)

    assert text_of(first) == text_of(again)
    assert first[-1]["message"] == again[-1]["message"]
    assert len(wire.door.model.prompts) == 1
    assert wire.say(HELLO | {"content": "Bye!"})[-1]["code"] == "idempotency_mismatch"


def test_without_a_request_id_every_message_is_a_request_of_its_own(wire: WebSocketTestClient) -> None:
    hello = {name: value for name, value in HELLO.items() if name != "request_id"}
    frames = [wire.say(hello, request_id=f"gateway-{number}")[-1] for number in (1, 2)]

    assert [frame["request_id"] for frame in frames] == ["gateway-1", "gateway-2"]
    assert len(stored(wire.door)) == 4


@pytest.mark.parametrize(
    "error", [ModelError("cut", reason="cut_off"), UnavailableError("torn", code="model_unavailable")]
)
def test_a_stream_that_breaks_off_is_an_error_and_kept_as_incomplete(
    wire: WebSocketTestClient, error: MembusError
) -> None:
    wire.door.model = BreakingModel("Once upon a", error)

    frames = wire.say(HELLO)

    assert (frames[-1]["type"], frames[-1]["code"]) == ("error", "incomplete")
    assert stored(wire.door) == [("ada", "Good day!", "complete"), ("guide", text_of(frames), "incomplete")]
    assert text_of(frames) == "Once upon a"
    assert wire.door.conversations.get_message("acme", "c", frames[0]["message_id"]).status == "incomplete"
    again = wire.say(HELLO)
    assert (text_of(again), again[-1]["code"]) == ("Once upon a", "incomplete")


def test_a_model_that_says_nothing_leaves_nothing_and_may_be_asked_again(wire: WebSocketTestClient) -> None:
    wire.door.model = ScriptedModel(UnavailableError("down", code="model_unavailable"), "Lisbon.")

    (frame,) = wire.say(HELLO)

    assert (frame["type"], frame["code"], frame["retry_after_seconds"]) == ("error", "model_unavailable", 2)
    assert stored(wire.door) == []
    assert text_of(wire.say(HELLO)) == "Lisbon."


def test_a_refusal_is_an_answer_with_safe_words(wire: WebSocketTestClient) -> None:
    wire.door.model = ScriptedModel("", stop_reason="refusal")

    frames = wire.say(HELLO)

    assert (text_of(frames), frames[-1]["type"], frames[-1]["stop_reason"]) == (
        REFUSAL_TEXT,
        "done",
        "refusal",
    )


def test_a_client_that_leaves_in_the_middle_loses_nothing(wire: WebSocketTestClient) -> None:
    wire.door.push.gone.add(wire.connection_id)

    assert wire.say(HELLO) == []

    assert stored(wire.door)[1] == ("guide", "Good morning.", "complete")


def test_a_client_that_comes_back_gets_the_stored_answer(wire: WebSocketTestClient) -> None:
    message_id = wire.say(HELLO)[0]["message_id"]
    back = WebSocketTestClient(wire.door, connection_id="w2=").open()

    frames = back.say(
        {"action": "resume", "conversation_id": "c", "message_id": message_id, "request_id": "r2"}
    )

    assert [frame["type"] for frame in frames] == ["delta", "done"]
    assert text_of(frames) == "Good morning."
    assert {(frame["request_id"], frame["message_id"]) for frame in frames} == {("r2", message_id)}


def test_who_comes_back_gets_nothing_of_somebody_who_is_being_erased(wire: WebSocketTestClient) -> None:
    message_id = wire.say(HELLO)[0]["message_id"]
    wire.door.erasures.start_job(
        new_erasure_job("acme", "ada", request_key=None, requested_by="k1", now=wire.door.clock())
    )

    (frame,) = wire.say({"action": "resume", "conversation_id": "c", "message_id": message_id})
    assert (frame["type"], frame["code"]) == ("error", "not_found")
    assert wire.say(HELLO | {"request_id": "r2"})[-1]["code"] == "erasing"


def test_a_defect_is_an_error_without_its_words(
    wire: WebSocketTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LookupError("secret")

    monkeypatch.setattr(wire.door.conversations, "add_turn", broken)

    frame = wire.say(HELLO)[-1]

    assert (frame["type"], frame["code"], frame["detail"]) == (
        "error",
        "internal",
        "something went wrong on our side",
    )


def test_a_store_that_is_away_to_the_end_is_an_error_all_the_same(
    wire: WebSocketTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise UnavailableError("the table is busy")

    monkeypatch.setattr(wire.door.conversations, "add_turn", away)
    monkeypatch.setattr(wire.door.pending, "update_job", away)

    frame = wire.say(HELLO)[-1]

    assert (frame["type"], frame["code"]) == ("error", "unavailable")
    assert "message_id" in frame, "the turn itself says so: nobody else is there to hear of it"


@pytest.mark.parametrize("part", ["claim_job", "get_progress"])
def test_a_turn_that_cannot_be_taken_up_is_an_error_all_the_same(
    wire: WebSocketTestClient, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    claim = wire.door.pending.claim_job

    def away(*_: object, **__: object) -> None:
        raise UnavailableError("the table is busy")

    def claim_with_progress(request: RequestRef, job: ReplyJob, lease: Lease | None = None) -> JobClaim:
        if lease and part == "claim_job":
            away()
        return replace(claim(request, job, lease), progress="a digest")

    with monkeypatch.context() as patch:
        patch.setattr(wire.door.pending, "get_progress", away)
        patch.setattr(wire.door.pending, "claim_job", claim_with_progress)
        frame = wire.say(HELLO)[-1]

    assert (frame["type"], frame["code"]) == ("error", "unavailable")
    assert "message_id" in frame
    assert text_of(wire.say(HELLO)) == "Good morning.", "its job is over"


def test_a_socket_of_another_tenant_finds_nothing(wire: WebSocketTestClient) -> None:
    stranger = WebSocketTestClient(wire.door, connection_id="w2=", tenant="zeta", key_id="k2").open()

    (frame,) = stranger.say(HELLO)

    assert frame["code"] == "not_found"
    assert stored(wire.door) == []


def test_a_connection_id_of_another_tenant_is_not_known(wire: WebSocketTestClient) -> None:
    thief = WebSocketTestClient(wire.door, connection_id=wire.connection_id, tenant="zeta", key_id="k2")

    assert thief.say(HELLO)[-1]["code"] == "unauthorized"
    assert stored(wire.door) == []


def test_a_revoked_key_is_refused_with_the_next_message_and_the_socket_closed(
    wire: WebSocketTestClient,
) -> None:
    assert wire.say({"action": "ping"})[0]["type"] == "pong"
    wire.door.keys.revoke_key("k1", at=wire.door.clock())

    (frame,) = wire.say(HELLO)

    assert (frame["type"], frame["code"]) == ("error", "unauthorized")
    assert wire.connection_id in wire.door.push.gone
    assert wire.door.model.prompts == []


def test_a_connection_that_was_closed_or_outlived_its_time_is_refused(wire: WebSocketTestClient) -> None:
    other = WebSocketTestClient(wire.door, connection_id="w2=").open()
    wire.close()
    assert wire.say(HELLO)[-1]["code"] == "unauthorized"

    wire.door.clock.advance(timedelta(hours=2))
    assert other.say(HELLO)[-1]["code"] == "unauthorized"


def test_a_key_without_the_scope_is_refused_with_every_message(wire: WebSocketTestClient) -> None:
    reader = WebSocketTestClient(
        wire.door, connection_id="w2=", key_id="k2", scopes=(ApiScope.MEMORY_READ,)
    ).open()

    assert reader.say({"action": "ping"})[-1]["code"] == "scope_missing"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "invalid_json"),
        ("", "invalid_json"),
        ('{"action": "ping", "action": "chat"}', "invalid_json"),
        ("[" * 70 + "]" * 70, "too_deep"),
        ("{}", "unknown_action"),
        ('{"action": "dance"}', "unknown_action"),
        ("[]", "invalid"),
        ('{"action": "chat", "conversation_id": "a#b", "content": "x"}', "invalid"),
        ('{"action": "chat", "conversation_id": "c", "content": ""}', "invalid"),
        ('{"action": "chat", "conversation_id": "c", "content": "\\u200b"}', "invalid"),
        ('{"action": "chat", "conversation_id": "c", "content": "x", "tenant_id": "zeta"}', "invalid"),
        (
            '{"action": "chat", "conversation_id": "c", "content": "' + "word " * 900 + '"}',
            "message_too_long",
        ),
        (
            '{"action": "chat", "conversation_id": "c", "content": "' + "x" * 70_000 + '"}',
            "payload_too_large",
        ),
        ('{"action": "ping", "x": "' + "x" * 131_072 + '"}', "payload_too_large"),
        ('{"action": "resume", "conversation_id": "c", "message_id": "nothing"}', "not_found"),
    ],
)
def test_what_cannot_be_taken_is_one_error_and_has_no_effect(
    wire: WebSocketTestClient, message: str, code: str
) -> None:
    (frame,) = wire.say(message)

    assert (frame["type"], frame["code"], frame["seq"]) == ("error", code, 0)
    assert (wire.door.model.prompts, stored(wire.door), wire.door.turns.begun) == ([], [], [])
    assert wire.connection_id not in wire.door.push.gone


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ({}, None),
        ({"Sec-WebSocket-Protocol": "membus.v1, bearer.mb_x"}, "membus.v1"),
        ({"sec-websocket-protocol": "bearer.mb_x,membus.v1"}, "membus.v1"),
        ({"sec-websocket-protocol": "bearer.mb_x"}, None),
    ],
)
def test_the_subprotocol_is_chosen_where_it_is_offered_and_never_the_key(
    door: ApiTestClient, offered: dict[str, str], chosen: str | None
) -> None:
    answer = WebSocketTestClient(door).open(**offered).answer

    assert answer["statusCode"] == 200
    assert answer.get("headers", {}).get("Sec-WebSocket-Protocol") == chosen
