"""A turn that was cut off between its tools goes on from what they gave; nothing is called or asked twice."""

from collections.abc import Sequence

import pytest

from membus.core.errors import MembusError, UnavailableError
from membus.llm.prompt import Prompt
from tests.factories import ADA
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient
from tests.support.contexts import a_passage
from tests.support.tool_calls import PATH, call, talking

AWAY = UnavailableError("the model is away", code="model_unavailable")
ASKED = {"content": "Where did we meet?", "author": "ada"}


@pytest.fixture
def talk(door: ApiTestClient) -> ApiTestClient:
    return talking(door)


def cut_off_after(
    door: ApiTestClient, *lines: Sequence[object] | str, error: MembusError = AWAY
) -> ScriptedModel:
    """Have the turn fail behind `lines`; return the model that was asked so far."""
    door.model = ScriptedModel(*lines, error)  # type: ignore[arg-type]
    assert door.post(PATH, ASKED, key="k1").code == error.code
    return door.model


def test_a_turn_goes_on_behind_the_steps_that_were_kept(talk: ApiTestClient) -> None:
    before = cut_off_after(talk, [call(query="Porto")], [call("recall_episodes", "2")])
    searched = len(talk.recollection.asked)
    talk.recollection.passages[ADA] = [a_passage("Something else by now.")]
    talk.model = ScriptedModel("In Porto.")

    answer = talk.post(PATH, ASKED, key="k1").json

    (prompt,) = talk.model.prompts
    assert prompt.messages[-4:] == before.prompts[-1].messages[-4:]
    called = [each["name"] for step in answer["message"]["steps"] for each in step["calls"]]
    assert called == ["search_memory", "recall_episodes"]
    assert answer["message"]["content"] == "In Porto."
    assert len(talk.recollection.asked) == searched + 1, "recall for the message, and no tool again"


def test_what_the_model_took_before_is_part_of_the_bill_and_not_of_the_rate(talk: ApiTestClient) -> None:
    cut_off_after(talk, [call(query="Porto")])
    talk.model = ScriptedModel("In Porto.")

    usage = talk.post(PATH, ASKED, key="k1").json["usage"]

    assert (usage["input"], usage["output"]) == (200, 10)
    made = talk.conversations.get_conversation("acme", "c").counters.rate
    assert made is not None
    assert made.ratio == 0.8


def test_a_call_that_was_made_before_the_cut_is_not_made_again(talk: ApiTestClient) -> None:
    cut_off_after(talk, [call(query="Porto")])
    talk.model = ScriptedModel([call("search_memory", "9", query="Porto")], "In Porto.")

    message = talk.post(PATH, ASKED, key="k1").json["message"]

    assert message["steps"][1]["results"][0]["content"].startswith("repeated_call")
    assert [prompt.calling for prompt in talk.model.prompts] == [True, False]


def test_steps_before_the_cut_count_towards_the_five(talk: ApiTestClient) -> None:
    cut_off_after(talk, *([call("search_memory", str(n), query=f"q{n}")] for n in range(5)))
    talk.model = ScriptedModel("In Porto.")

    assert len(talk.post(PATH, ASKED, key="k1").json["message"]["steps"]) == 5
    assert [prompt.calling for prompt in talk.model.prompts] == [False]


def test_what_was_cut_for_the_prompt_before_is_still_there_whole(talk: ApiTestClient) -> None:
    talk.recollection.passages[ADA] = [
        a_passage(f"passage {n} " + "word " * 400, memory_id=f"m{n}") for n in range(30)
    ]
    cut_off_after(talk, [call(query="all", limit=30)])
    talk.model = ScriptedModel("In Porto.")

    message = talk.post(PATH, ASKED, key="k1").json["message"]

    (whole,) = talk.get(f"{PATH}/{message['message_id']}/results").json["items"]
    assert "passage 29 " in whole["content"]
    assert "passage 29 " not in whole["shown"]


def test_another_message_under_the_same_key_starts_anew(talk: ApiTestClient) -> None:
    cut_off_after(talk, [call(query="Porto")])
    talk.model = ScriptedModel("Nine.")

    message = talk.post(PATH, ASKED | {"content": "When is my flight?"}, key="k1").json["message"]

    assert (message["content"], message["steps"]) == ("Nine.", [])


def test_what_cannot_be_kept_costs_no_answer(talk: ApiTestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UnavailableError("the table is away")

    monkeypatch.setattr(talk.pending, "save_progress", refuse)
    talk.model = ScriptedModel([call(query="Porto")], "In Porto.")

    assert talk.post(PATH, ASKED, key="k1").json["message"]["content"] == "In Porto."


def test_a_prompt_that_was_resumed_is_made_again_byte_for_byte(talk: ApiTestClient) -> None:
    cut_off_after(talk, [call(query="Porto")])
    talk.model = ScriptedModel("In Porto.")
    message = talk.post(PATH, ASKED, key="k1").json["message"]

    again = talk.get(f"{PATH}/{message['message_id']}/context").json

    assert again["identical"]
    sent = talk.model.prompts[0].model_copy(update={"messages": talk.model.prompts[0].messages[:-2]})
    assert Prompt.model_validate(again["context"]["prompt"]) == sent
