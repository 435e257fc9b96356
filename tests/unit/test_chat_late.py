"""POST …/messages when an answer outlasts its request: 202 with a message to ask for, and the turn goes on."""

from typing import Any

import pytest

from membus.domain.pending import LASTS
from membus.errors import BudgetError, MembusError, ModelError, UnavailableError
from tests.door import Answer, Door
from tests.factories import a_conversation
from tests.fakes.model import ScriptedModel
from tests.fakes.sockets import ImmediateTurns

PATH = "/v1/conversations/c/messages"
SLOW = UnavailableError("the model cannot be reached right now", code="model_unavailable")


@pytest.fixture
def talk(door: Door) -> Door:
    """Ada's conversation, at the end of a request's time; work behind the scenes waits until it is run."""
    door.conversations.create(a_conversation("c", agent_id="guide"), request_key="c")
    door.model = ScriptedModel(SLOW, "Lisbon.")
    door.seconds_left = 4
    door.turns = ImmediateTurns(lambda _: None)
    return door


def say(door: Door, key: str = "k1") -> Answer:
    return door.post(PATH, {"content": "Where do I live?", "author": "ada"}, key=key)


def work(door: Door, turn: Any) -> None:
    door.work({"turn": turn})


def test_a_request_that_runs_out_of_time_is_answered_with_a_message_to_ask_for(talk: Door) -> None:
    answer = say(talk)

    message = answer.json["message"]
    assert (answer.status, message["status"], message["content"]) == (202, "pending", "")
    assert (message["role"], message["author"]) == ("assistant", "guide")
    assert answer.headers["location"] == f"{PATH}/{message['message_id']}"
    assert answer.headers["retry-after"] == "2"
    assert talk.get(answer.headers["location"]).json == message


def test_the_answer_appears_where_it_was_promised(talk: Door) -> None:
    where = say(talk).headers["location"]

    work(talk, talk.turns.begun[0])

    message = talk.get(where).json
    assert (message["status"], message["content"]) == ("complete", "Lisbon.")
    assert message["message_id"] in where
    assert [each.content for each in talk.conversations.recent("acme", "c", limit=9)] == ["Where do I live?", "Lisbon."]
    assert [event.speech for event in talk.bus.published] == ["Where do I live?"]


def test_work_that_is_done_twice_is_one_turn(talk: Door) -> None:
    say(talk)
    work(talk, talk.turns.begun[0])
    work(talk, talk.turns.begun[0])

    assert len(talk.conversations.recent("acme", "c", limit=9)) == 2
    assert say(talk).json["message"]["content"] == "Lisbon."


def test_a_promise_that_another_try_kept_first_leads_to_the_answer_it_got(talk: Door) -> None:
    where = say(talk).headers["location"]
    talk.seconds_left = 29
    stored = say(talk).json["message"]

    work(talk, talk.turns.begun[0])

    assert stored["message_id"] not in where
    assert talk.get(where).json == stored
    assert len(talk.conversations.recent("acme", "c", limit=9)) == 2


def test_the_same_request_is_promised_once(talk: Door) -> None:
    talk.model = ScriptedModel(SLOW)

    assert say(talk).json == say(talk).json
    assert len(talk.turns.begun) == 1
    assert say(talk, key="k2").json != say(talk).json


def test_work_that_fails_is_tried_again_by_who_queued_it_and_incomplete_in_the_end(talk: Door) -> None:
    talk.model = ScriptedModel(SLOW)
    where = say(talk).headers["location"]

    with pytest.raises(UnavailableError):
        work(talk, talk.turns.begun[0])

    assert talk.get(where).json["status"] == "pending"
    talk.clock.advance(LASTS)
    assert talk.get(where).json["status"] == "incomplete"


def test_work_that_no_try_can_help_is_given_up_at_once(talk: Door) -> None:
    where = say(talk).headers["location"]
    talk.model = ScriptedModel(BudgetError("spent"))

    work(talk, talk.turns.begun[0])

    assert talk.get(where).json["status"] == "incomplete"


@pytest.mark.parametrize(("seconds_left", "error"), [(29, SLOW), (4, BudgetError("spent"))])
def test_what_did_not_fail_for_want_of_time_is_an_error_as_ever(
    talk: Door, seconds_left: float, error: MembusError
) -> None:
    talk.seconds_left, talk.model = seconds_left, ScriptedModel(error)

    assert say(talk).code == error.code
    assert talk.turns.begun == []


def test_nothing_is_promised_that_nobody_works_on(talk: Door) -> None:
    def refuse(_: object) -> None:
        raise UnavailableError("the turn is not taken: TooManyRequestsException")

    talk.turns = ImmediateTurns(refuse)

    assert say(talk).status == 503
    talk.turns = ImmediateTurns(lambda _: None)
    assert say(talk).status == 200


def test_another_error_of_the_model_late_in_the_request_is_handed_on_too(talk: Door) -> None:
    talk.model = ScriptedModel(ModelError("cut", reason="cut_off"), "Lisbon.")

    assert say(talk).status == 202
