"""POST …/messages whose turn takes longer than its request.

Handed over, worked on in the background, asked for.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from membus.conversations.reply_jobs import JOB_LIFETIME, Lease, ReplyJob, RequestRef
from membus.core.errors import (
    BudgetError,
    BusyError,
    ConflictError,
    MembusError,
    ModelError,
    NotFoundError,
    UnavailableError,
)
from membus.llm.prompt import Prompt
from tests.factories import a_conversation
from tests.fakes.model import ScriptedModel
from tests.fakes.sockets import ImmediateTurnQueue
from tests.support.api_client import ApiTestClient, ApiTestResponse
from tests.support.tool_calls import call

PATH = "/v1/conversations/c/messages"
REQUEST = RequestRef("acme", "c", "k1")
SLOW = UnavailableError(
    "the model cannot be reached right now", code="model_unavailable", retry_after_seconds=7
)
NO_TIME = 3.0
"""Seconds of an invocation that leave a request none to ask the model in."""


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    """Ada's conversation; a request has no time for the model, and the background waits until it is run."""
    door.conversations.create_conversation(a_conversation("c", agent_id="guide"), request_key="c")
    door.model = ScriptedModel("Lisbon.")
    door.turns = ImmediateTurnQueue(lambda _: None)
    door.seconds_left = NO_TIME
    return door


def say(door: ApiTestClient, key: str = "k1", content: str = "Where do I live?") -> ApiTestResponse:
    return door.post(PATH, {"content": content, "author": "ada"}, key=key)


def say_in_time(door: ApiTestClient, key: str = "k1") -> ApiTestResponse:
    door.seconds_left = 29
    answer = say(door, key)
    door.seconds_left = NO_TIME
    return answer


def work(door: ApiTestClient, turn: Any | None = None) -> None:
    door.work({"turn": turn or door.turns.begun[0]})


def until_the_deadline(door: ApiTestClient, error: MembusError) -> Callable[[Prompt], str]:
    """Return a model's answer that does not come before the time of its invocation is over."""

    def fail(_: Prompt) -> str:
        door.invocation.seconds_left = 0
        raise error

    return fail


def test_a_late_answer_is_a_pending_message(talk: ApiTestClient) -> None:
    answer = say(talk)

    message = answer.json["message"]
    assert (answer.status, message["status"], message["content"]) == (202, "pending", "")
    assert (message["role"], message["author"]) == ("assistant", "guide")
    assert answer.headers["location"] == f"{PATH}/{message['message_id']}"
    assert answer.headers["retry-after"] == "2"
    assert talk.get(answer.headers["location"]).json == message


def test_a_late_answer_appears_at_its_location_for_one_model_call(talk: ApiTestClient) -> None:
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


def test_a_turn_delivered_twice_is_stored_once_for_one_model_call(talk: ApiTestClient) -> None:
    say(talk)
    work(talk)
    work(talk)

    assert len(talk.conversations.list_recent_messages("acme", "c", limit=9)) == 2
    assert len(talk.model.prompts) == 1


def test_the_same_key_for_another_message_is_refused_meanwhile_and_later(
    talk: ApiTestClient,
) -> None:
    say(talk)
    assert say(talk, content="Who am I?").code == "idempotency_mismatch"

    work(talk)

    assert say(talk, content="Who am I?").code == "idempotency_mismatch"
    assert say(talk, key="k2", content="Who am I?").status == 202


def test_a_reply_that_never_comes_is_incomplete_in_the_end(talk: ApiTestClient) -> None:
    where = say(talk).headers["location"]

    talk.clock.advance(JOB_LIFETIME)

    assert talk.get(where).json["status"] == "incomplete"


def test_a_request_in_time_is_answered_in_its_own_invocation(talk: ApiTestClient) -> None:
    assert say_in_time(talk).json["message"]["content"] == "Lisbon."
    assert (talk.turns.begun, len(talk.model.prompts)) == ([], 1)


def test_the_same_request_meanwhile_gets_the_same_pending_message(
    talk: ApiTestClient,
) -> None:
    again: list[ApiTestResponse] = []

    def answer(_: Prompt) -> str:
        again.append(say(talk))
        again.append(say(talk, content="Who am I?"))
        return "Lisbon."

    talk.model = ScriptedModel(answer)
    first = say_in_time(talk)

    same, other = again
    assert (same.status, same.json["message"]["status"]) == (202, "pending")
    assert same.json["message"]["message_id"] == first.json["message"]["message_id"]
    assert (other.status, other.code) == (422, "idempotency_mismatch")
    assert (talk.turns.begun, len(talk.model.prompts)) == ([], 1)


def test_a_call_in_flight_at_the_deadline_is_given_up_and_made_once_more(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel(until_the_deadline(talk, SLOW), "Lisbon.")

    where = say_in_time(talk).headers["location"]
    assert say(talk).headers["location"] == where
    work(talk)
    work(talk)

    assert talk.get(where).json["content"] == "Lisbon."
    assert say(talk).json["message"] == talk.get(where).json
    assert (len(talk.turns.begun), len(talk.model.prompts)) == (1, 2)


def test_a_provider_that_asks_to_wait_is_waited_for_in_the_background(
    talk: ApiTestClient,
) -> None:
    talk.model = ScriptedModel(BusyError("busy", code="model_unavailable", asked_seconds=40), "Lisbon.")

    assert say_in_time(talk).status == 202


def test_a_turn_is_handed_over_behind_its_last_step(talk: ApiTestClient) -> None:
    def think(_: Prompt) -> list[Any]:
        talk.invocation.seconds_left = 10
        return [call(query="Lisbon")]

    talk.model = ScriptedModel(think, "Lisbon.")

    where = say_in_time(talk).headers["location"]
    assert len(talk.model.prompts) == 1
    work(talk)

    assert talk.get(where).json["content"] == "Lisbon."
    assert [len(step["calls"]) for step in talk.get(where).json["steps"]] == [1]
    assert len(talk.model.prompts) == 2, "nothing is asked twice"


def test_tools_without_time_are_run_in_the_background(talk: ApiTestClient) -> None:
    def think(_: Prompt) -> list[Any]:
        talk.invocation.seconds_left = NO_TIME + 0.5
        return [call(query="Lisbon")]

    talk.model = ScriptedModel(think, [call(query="Lisbon")], "Lisbon.")

    where = say_in_time(talk).headers["location"]
    assert talk.recollection.asked == ["Where do I live?"], "recall for the message, and no tool"
    work(talk)

    (step,) = talk.get(where).json["steps"]
    assert not step["results"][0]["failed"]


def test_a_turn_is_left_to_its_worker_until_the_lease_is_over(talk: ApiTestClient) -> None:
    say(talk)
    lease = Lease("another", talk.clock() + JOB_LIFETIME / 10)
    talk.pending.claim_job(REQUEST, talk.pending.jobs[REQUEST], lease)

    for _ in range(2):
        with pytest.raises(UnavailableError, match="being worked on"):
            work(talk)
    assert talk.model.prompts == []

    talk.clock.advance(JOB_LIFETIME / 10)
    work(talk)
    assert say(talk).json["message"]["content"] == "Lisbon."


@pytest.mark.parametrize("connection_id", [None, "w1="])
def test_a_failing_copy_of_a_turn_leaves_the_worker_its_lease(
    talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch, connection_id: str | None
) -> None:
    say(talk)
    lease = Lease("another", talk.clock() + JOB_LIFETIME / 10)
    job = talk.pending.jobs[REQUEST]
    talk.pending.claim_job(REQUEST, job, lease)

    def away(*_: object) -> None:
        raise UnavailableError("the table is busy")

    with monkeypatch.context() as patch, suppress(UnavailableError):
        patch.setattr(talk.conversations, "find_turn", away)
        work(talk, {**talk.turns.begun[0], "connection_id": connection_id})

    assert not talk.pending.claim_job(REQUEST, job, Lease("a third", lease.until)).granted


def test_a_request_whose_invocation_died_may_be_sent_again(
    talk: ApiTestClient,
) -> None:
    lease = Lease("dead", talk.clock() + timedelta(seconds=29))
    job = ReplyJob(message_id="m1", request="other", since=talk.clock(), until=lease.until)
    talk.pending.claim_job(REQUEST, job, lease)

    talk.clock.advance(timedelta(seconds=29))

    assert say_in_time(talk).json["message"]["content"] == "Lisbon."


def test_a_turn_stored_after_the_first_look_is_not_answered_again(
    talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = say_in_time(talk).json
    find, looks = talk.conversations.find_turn, iter([True])

    def find_late(*args: Any) -> Any:
        return None if next(looks, False) else find(*args)

    monkeypatch.setattr(talk.conversations, "find_turn", find_late)

    assert say(talk).json == first
    assert len(talk.model.prompts) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SLOW, 503),
        (ModelError("cut", reason="cut_off"), 503),
        (BudgetError("spent"), 402),
        (ConflictError("she is being erased", code="erasing"), 409),
    ],
)
def test_a_failed_request_names_the_reason_and_may_be_sent_again(
    talk: ApiTestClient, error: MembusError, status: int
) -> None:
    talk.model = ScriptedModel(error, "Lisbon.")

    answer = say_in_time(talk)

    assert (answer.status, answer.code, answer.json["detail"]) == (status, error.code, error.detail)
    assert (
        answer.headers.get("retry-after")
        == {503: str(getattr(error, "retry_after_seconds", 0)), 402: "2", 409: "1"}[status]
    )
    assert say_in_time(talk).json["message"]["content"] == "Lisbon."


def test_a_defect_is_answered_without_its_words(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel(lambda _: str(1 / 0), "Lisbon.")

    answer = say_in_time(talk)

    assert (answer.status, answer.code) == (500, "internal")
    assert "division" not in answer.text
    assert say_in_time(talk).json["message"]["content"] == "Lisbon."


def test_a_passing_failure_in_the_background_is_tried_again_by_lambda(talk: ApiTestClient) -> None:
    talk.model = ScriptedModel(SLOW, "Lisbon.")
    where = say(talk).headers["location"]

    with pytest.raises(UnavailableError):
        work(talk)
    assert talk.get(where).json["status"] == "pending"

    work(talk)
    assert talk.get(where).json["content"] == "Lisbon."


@pytest.mark.parametrize("why", [BudgetError("spent"), None])
def test_a_lasting_failure_in_the_background_ends_the_job(
    talk: ApiTestClient, why: MembusError | None
) -> None:
    where = say(talk).headers["location"]
    talk.model = ScriptedModel(why or (lambda _: str(1 / 0)))

    work(talk)

    assert talk.get(where).json["status"] == "incomplete"


def test_a_turn_that_the_queue_refuses_is_no_pending_message(talk: ApiTestClient) -> None:
    def refuse(_: object) -> None:
        raise UnavailableError("the turn is not taken: TooManyRequestsException")

    talk.turns = ImmediateTurnQueue(refuse)

    assert say(talk).status == 503
    assert say_in_time(talk).status == 200


def test_a_message_to_a_conversation_that_is_not_there_leaves_no_job(talk: ApiTestClient) -> None:
    talk.conversations.delete_conversation("acme", "c")

    assert say(talk).code == "not_found"
    assert talk.pending.jobs == {}


def test_a_conversation_that_goes_while_its_turn_is_worked_on_ends_the_job(talk: ApiTestClient) -> None:
    def delete(_: Prompt) -> str:
        talk.conversations.delete_conversation("acme", "c")
        return "Lisbon."

    talk.model = ScriptedModel(delete)

    assert say_in_time(talk).code == "not_found"
    assert talk.pending.jobs[REQUEST].until <= talk.clock()
    with pytest.raises(NotFoundError):
        talk.conversations.get_conversation("acme", "c")
