"""functions/extract: how many questions a batch takes, and what becomes of text that no model can read."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.extract.model_answers import EVENT_PARTS_MAX, QUESTION_TOKENS_MAX
from functions.extract.prompt import ANSWER_TOKENS_MAX, Candidates
from membus.core.errors import MembusError, ModelError, UnavailableError
from membus.core.event import Event
from membus.core.tokens import estimate_tokens
from membus.llm.prompt import Prompt
from tests.factories import a_setting, said
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, a_message, observant, shown

REFUSED = ModelError("the model stopped with refusal", reason="refused")
UNREADABLE = [
    REFUSED,
    ModelError("the model's answer does not fit its schema", reason="malformed"),
    ModelError("the model stopped with max_tokens", reason="max_tokens"),
]


def upset_by(word: str, error: MembusError) -> ScriptedModel:
    """Return a model that fails whenever it is shown a word, and else reads as usual."""
    return upset_when(lambda texts: any(word in text for text in texts), error)


def upset_when(upset: Callable[[list[str]], bool], error: MembusError) -> ScriptedModel:
    reader = observant()

    def read(prompt: Prompt) -> str:
        if upset([each["text"] for each in shown(prompt)]):
            raise error
        return reader.generate_reply(prompt, max_tokens=1, timeout_seconds=1).text

    return ScriptedModel(read)


def likes(*things: str) -> list[Event]:
    return [said(f"I like {thing}", thing) for thing in things]


@pytest.mark.parametrize("error", UNREADABLE)
def test_an_unreadable_event_is_parked_with_its_reason_and_costs_no_other(error: ModelError) -> None:
    extraction = Extraction(upset_by("poison", error))
    events = likes("tea", "rum", "poison", "ale", "gin")

    assert extraction.send(*events) == []

    assert extraction.known() == {f"likes.{thing}": thing for thing in ("tea", "rum", "ale", "gin")}
    ((body, reason),) = extraction.poison_messages.parked
    assert json.loads(body)["detail"]["event_id"] == "poison"
    assert reason == f"model_unusable.{error.reason}: {error.detail}"
    assert (extraction.dead_letters.parked, extraction.source_queue.retries) == ([], {})


def test_a_refused_question_is_never_asked_again() -> None:
    extraction = Extraction(upset_by("poison", REFUSED))

    extraction.send(*likes("tea", "rum", "poison", "ale"))

    asked = [tuple(each["event_id"] for each in shown(prompt)) for prompt in extraction.prompts()]
    assert asked == [
        ("tea", "rum", "poison", "ale"),
        ("tea", "rum"),
        ("poison", "ale"),
        ("poison",),
        ("ale",),
    ]


def test_an_answer_too_long_for_its_limit_is_asked_for_in_halves() -> None:
    extraction = Extraction(upset_when(lambda texts: len(texts) > 2, UNREADABLE[2]))

    assert extraction.send(*likes("tea", "rum", "ale", "gin")) == []

    assert len(extraction.prompts()) == 3
    assert len(extraction.known()) == 4
    assert extraction.poison_messages.parked == []


def test_a_parked_event_is_recorded_and_read_when_an_operator_sends_it_again() -> None:
    extraction = Extraction(
        ScriptedModel(
            REFUSED, lambda prompt: observant().generate_reply(prompt, max_tokens=1, timeout_seconds=1).text
        )
    )
    (tea,) = likes("tea")
    extraction.send(tea)
    ((body, _),) = extraction.poison_messages.parked

    assert extraction.deliver(a_message(body, "redriven")) == []

    assert extraction.known() == {"likes.tea": "tea"}


def test_what_rules_read_is_learned_whatever_the_model_does() -> None:
    extraction = Extraction(ScriptedModel(REFUSED))

    extraction.send(a_setting(), said("I like tea"))

    assert extraction.known() == {"setting.theme": "dark"}
    assert len(extraction.poison_messages.parked) == 1


def test_a_message_that_cannot_be_parked_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise UnavailableError("quarantine: busy")

    extraction = Extraction(ScriptedModel(REFUSED))
    monkeypatch.setattr(extraction.poison_messages, "send_message", full)

    assert extraction.send(said("I like tea")) == ["m-e1"]


def test_without_time_to_ask_an_event_comes_back_and_the_rest_is_extracted() -> None:
    class Hurried(Extraction):
        def _seconds_left(self) -> float:
            return 30 if not self.prompts() else 4

    extraction = Hurried(observant())
    words = "word " * (QUESTION_TOKENS_MAX // 2 + 1)

    failed = extraction.send(*(said(f"I like {name}. {words}", name) for name in ("tea", "rum", "ale")))

    assert failed == ["m-rum", "m-ale"]
    assert extraction.known() == {"likes.tea": "tea"}
    assert [code for _, code in extraction.failures] == ["unavailable", "unavailable"]


def test_words_beyond_the_bound_are_asked_about_in_several_questions() -> None:
    words = "word " * (QUESTION_TOKENS_MAX // 3)
    extraction = Extraction(observant())

    assert extraction.send(*(said(f"I like {name}. {words}", name) for name in "bcdefgh")) == []

    assert [len(shown(prompt)) for prompt in extraction.prompts()] == [2, 2, 2, 1]
    assert all(_tokens(prompt) <= QUESTION_TOKENS_MAX for prompt in extraction.prompts())
    assert len(extraction.known()) == 7


def test_a_very_long_event_is_read_in_parts() -> None:
    padding = "Nothing to see here. " * (QUESTION_TOKENS_MAX // 5)
    extraction = Extraction(observant())

    assert extraction.send(said(f"I like tea. {padding}I like rum. {padding}I like ale")) == []

    assert len(extraction.prompts()) > 1
    assert all(_tokens(prompt) <= QUESTION_TOKENS_MAX * 1.25 for prompt in extraction.prompts())
    assert extraction.known() == {"likes.tea": "tea", "likes.rum": "rum", "likes.ale": "ale"}


def test_an_event_of_which_one_part_cannot_be_read_teaches_nothing_and_is_parked() -> None:
    padding = "Nothing to see here. " * (QUESTION_TOKENS_MAX // 5)
    extraction = Extraction(upset_by("poison", REFUSED))

    assert (
        extraction.send(said(f"I like tea. {padding} poison. {padding}I like ale", "long"), *likes("rum"))
        == []
    )

    assert extraction.known() == {"likes.rum": "rum"}
    assert len(extraction.poison_messages.parked) == 1


def test_an_event_that_is_a_whole_book_is_parked_unread() -> None:
    book = "no; " * (QUESTION_TOKENS_MAX * (EVENT_PARTS_MAX + 1) // 2)
    extraction = Extraction(observant())

    assert extraction.send(said(book), *likes("tea")) == []

    assert [reason for _, reason in extraction.poison_messages.parked] == [
        "model_unusable.too_long: the text is too long to be read"
    ]
    assert (extraction.known(), len(extraction.prompts())) == ({"likes.tea": "tea"}, 1)


def test_every_question_has_a_limit_for_its_answer() -> None:
    limits: list[int] = []

    class Noting(ScriptedModel):
        def answer(self, prompt: Prompt, schema: Any, *, max_tokens: int, timeout_seconds: float) -> Any:
            limits.append(max_tokens)
            return super().answer(prompt, schema, max_tokens=max_tokens, timeout_seconds=timeout_seconds)

    Extraction(Noting('{"facts": []}')).send(*likes("tea"))

    assert limits == [ANSWER_TOKENS_MAX]


def test_an_answer_without_a_list_of_facts_is_no_answer() -> None:
    extraction = Extraction(ScriptedModel('{"error": "too many requests"}'))

    assert extraction.send(said("I live in Lisbon")) == []

    assert [reason.split(":")[0] for _, reason in extraction.poison_messages.parked] == [
        "model_unusable.malformed"
    ]
    assert Candidates.model_validate_json('{"facts": []}').facts == []


def _tokens(prompt: Prompt) -> int:
    return sum(estimate_tokens(each["text"]) for each in shown(prompt))
