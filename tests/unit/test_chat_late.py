"""POST …/messages.

Worked on in an invocation of its own, waited for, and promised where that takes too long.
"""

from itertools import count
from typing import Any

import pytest

from functions.chat.turn_worker import ReplyWaiter
from membus.conversations.reply_jobs import JOB_LIFETIME
from membus.core.errors import BudgetError, ConflictError, MembusError, ModelError, UnavailableError
from tests.factories import a_conversation
from tests.fakes.model import ScriptedModel
from tests.fakes.sockets import ImmediateTurnQueue
from tests.support.api_client import ApiTestClient, ApiTestResponse

PATH = "/v1/conversations/c/messages"
SLOW = UnavailableError(
    "the model cannot be reached right now", code="model_unavailable", retry_after_seconds=7
)


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Ada's conversation; work behind the scenes waits until it is run, as a model does that takes long."""
    door.conversations.create_conversation(a_conversation("c", agent_id="guide"), request_key="c")
    door.model = ScriptedModel("Lisbon.")
    door.turns = ImmediateTurnQueue(lambda _: None)
    return door


def say(door: ApiTestClient, key: str = "k1", content: str = "Where do I live?") -> ApiTestResponse:
    return door.post(PATH, {"content": content, "author": "ada"}, key=key)


def work(door: ApiTestClient, turn: Any | None = None) -> None:
    door.work({"turn": turn or door.turns.begun[0]})


def nobody_waits_any_more(door: ApiTestClient) -> None:
    door.clock.advance(JOB_LIFETIME / 10)


def test_an_answer_that_outlasts_its_request_is_a_message_to_ask_for(talk: ApiTestClient) -> None:
    answer = say(talk)

    message = answer.json["message"]
    assert (answer.status, message["status"], message["content"]) == (202, "pending", "")
    assert (message["role"], message["author"]) == ("assistant", "guide")
    assert answer.headers["location"] == f"{PATH}/{message['message_id']}"
    assert answer.headers["retry-after"] == "2"
    assert talk.get(answer.headers["location"]).json == message


def test_the_answer_appears_where_it_was_promised_for_one_call_of_the_model(talk: ApiTestClient) -> None:
    where = say(talk).headers["location"]
    assert say(talk).headers["location"] == where

    work(talk)

    message = talk.get(where).json
    assert (message["status"], message["content"]) == ("complete", "Lisbon.")
    assert say(talk).json["message"] == message
    assert [each.content for each in talk.conversations.list_recent_messages("acme", "c", limit=9)] == [
        "Where do I live?",
        "Lisbon.",
    ]
    assert {event.event_id for event in talk.bus.published} == {talk.bus.published[0].event_id}
    assert len(talk.turns.begun) == len(talk.model.prompts) == 1


def test_whoever_asks_again_while_it_is_worked_on_waits_for_the_same_answer(
    talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    promised = say(talk).json["message"]["message_id"]
    (first,), known = talk.turns.begun, talk.pending.find_by_request

    def looked_for(*args: Any, **fields: Any) -> Any:
        if not talk.model.prompts:
            work(talk, first)
        return known(*args, **fields)

    monkeypatch.setattr(talk.pending, "find_by_request", looked_for)
    answer = say(talk)

    assert (answer.status, answer.json["message"]["message_id"]) == (200, promised)
    assert len(talk.model.prompts) == len(talk.turns.begun) == 1


def test_work_that_is_delivered_twice_is_one_turn_and_one_call_of_the_model(talk: ApiTestClient) -> None:
    say(talk)
    work(talk)
    work(talk)

    assert len(talk.conversations.list_recent_messages("acme", "c", limit=9)) == 2
    assert len(talk.model.prompts) == 1


def test_work_that_somebody_is_at_is_left_to_them_until_their_time_is_over(talk: ApiTestClient) -> None:
    say(talk)
    until = talk.clock() + JOB_LIFETIME / 10
    talk.pending.acquire_lease("acme", "c", request_key="k1", worker="another", until=until)

    with pytest.raises(UnavailableError, match="being worked on"):
        work(talk)
    assert talk.model.prompts == []

    nobody_waits_any_more(talk)
    work(talk)
    assert say(talk).json["message"]["content"] == "Lisbon."


def test_the_same_key_for_another_message_is_refused_while_the_first_is_worked_on_and_after(
    talk: ApiTestClient,
) -> None:
    say(talk)
    assert say(talk, content="Who am I?").code == "idempotency_mismatch"

    work(talk)

    assert say(talk, content="Who am I?").code == "idempotency_mismatch"
    assert say(talk, key="k2", content="Who am I?").status == 202


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SLOW, 503),
        (ModelError("cut", reason="cut_off"), 503),
        (BudgetError("spent"), 402),
        (ConflictError("she is being erased", code="erasing"), 409),
    ],
)
def test_who_still_waits_is_told_why_there_is_no_answer_and_may_ask_again(
    talk: ApiTestClient, error: MembusError, status: int
) -> None:
    talk.turns, talk.model = ImmediateTurnQueue(talk.work), ScriptedModel(error, "Lisbon.")

    answer = say(talk)

    assert (answer.status, answer.code, answer.json["detail"]) == (status, error.code, error.detail)
    assert (
        answer.headers.get("retry-after")
        == {503: str(getattr(error, "retry_after_seconds", 0)), 402: "2", 409: "1"}[status]
    )
    assert say(talk).json["message"]["content"] == "Lisbon."


def test_a_defect_is_told_to_who_waits_without_a_word_of_it(talk: ApiTestClient) -> None:
    talk.turns = ImmediateTurnQueue(talk.work)
    talk.model = ScriptedModel(lambda _: str(1 / 0))

    answer = say(talk)

    assert (answer.status, answer.code) == (500, "internal")
    assert "division" not in answer.text


def test_work_that_fails_when_nobody_waits_is_tried_again_by_who_queued_it(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel(SLOW, "Lisbon.")
    where = say(talk).headers["location"]
    nobody_waits_any_more(talk)

    with pytest.raises(UnavailableError):
        work(talk)
    assert talk.get(where).json["status"] == "pending"

    work(talk)
    assert talk.get(where).json["content"] == "Lisbon."


def test_a_reply_that_never_comes_is_incomplete_in_the_end(talk: ApiTestClient) -> None:
    where = say(talk).headers["location"]

    talk.clock.advance(JOB_LIFETIME)

    assert talk.get(where).json["status"] == "incomplete"


def test_work_that_no_try_can_help_is_given_up_at_once(talk: ApiTestClient) -> None:
    where = say(talk).headers["location"]
    nobody_waits_any_more(talk)
    talk.model = ScriptedModel(BudgetError("spent"))

    work(talk)

    assert talk.get(where).json["status"] == "incomplete"


def test_nothing_is_promised_that_nobody_works_on(talk: ApiTestClient) -> None:
    def refuse(_: object) -> None:
        raise UnavailableError("the turn is not taken: TooManyRequestsException")

    talk.turns = ImmediateTurnQueue(refuse)

    assert say(talk).status == 503
    talk.turns = ImmediateTurnQueue(talk.work)
    assert say(talk).status == 200


@pytest.mark.parametrize(("each_look_takes", "looks"), [(0.0, 99), (0.25, 50), (30.0, 1)])
def test_it_is_waited_for_as_long_as_a_request_may_however_slow_the_store(
    talk: ApiTestClient, each_look_takes: float, looks: int
) -> None:
    ticks = count()
    waiting = ReplyWaiter(
        talk.conversations,
        talk.pending,
        talk.turns,
        talk.clock,
        lambda _: None,
        lambda: next(ticks) * (each_look_takes + 0.25 if each_look_takes else 0.0),
    )

    assert len(list(waiting._pauses(24))) == pytest.approx(looks, abs=3)
