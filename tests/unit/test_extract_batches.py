"""What is believed does not depend on how the queue groups a user's events into batches."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from membus.llm.prompt import Prompt
from tests.factories import NOON, said
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, observant, shown

ATTRIBUTES = ("name", "age", "home.city", "home.country", "work.role", "work.employer", "relationship.status")
FIRST = ("Ada", "34", "Lisbon", "Portugal", "nurse", "Siemens", "single")
SECOND = ("Eva", "51", "Oslo", "Norway", "pilot", "Acme", "married")


def introduce(values: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"attribute": name, "value": value, "stance": "stated"}
        for name, value in zip(ATTRIBUTES, values, strict=True)
    ]


def tell(values: Sequence[str]) -> str:
    name, age, city, country, role, employer, status = values
    return (
        f"I'm {name}, {age}, I live in {city}, {country}, I work as a {role} at {employer} and I'm {status}."
    )


CASES = {
    "an event that rewrites the user of the event before it": (
        [(tell(FIRST), introduce(FIRST)), (tell(SECOND), introduce(SECOND))],
        set(FIRST),
    ),
    "an end that names the fact of the event before it by a part": (
        [
            ("I have a dog, Rex (dog)", [{"attribute": "pet", "value": "Rex (dog)", "stance": "stated"}]),
            ("Rex died", [{"attribute": "pet", "value": "Rex", "stance": "past"}]),
        ],
        set(),
    ),
    "a request to forget what the event before it said": (
        [
            ("I like jazz", [{"attribute": "likes", "value": "jazz", "stance": "stated"}]),
            ("Forget that I like jazz", []),
        ],
        set(),
    ),
}


@pytest.mark.parametrize("batch", [1, 2])
def test_of_two_values_of_one_moment_the_one_sent_later_is_current(batch: int) -> None:
    extraction = Extraction(observant())
    events = [
        said(text, event_id).model_copy(update={"position": place})
        for place, (event_id, text) in enumerate([("z", "I live in Bern"), ("a", "I live in Bonn")])
    ]
    for start in range(0, len(events), batch):
        extraction.send(*events[start : start + batch])

    assert extraction.known() == {"home.city": "Bonn"}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("case", CASES)
def test_beliefs_are_the_same_however_events_are_grouped(case: str, batch: int) -> None:
    messages, right = CASES[case]

    def read(prompt: Prompt) -> str:
        fixed = {"subject": "user", "kind": "identity"}
        facts = [
            fact | fixed | {"event_id": each["event_id"], "quote": each["text"]}
            for each in shown(prompt)
            for fact in messages[int(each["event_id"][1:])][1]
        ]
        return json.dumps({"facts": facts})

    extraction = Extraction(ScriptedModel(read))
    events = [
        said(text, f"e{number}", occurred_at=NOON + timedelta(hours=number))
        for number, (text, _) in enumerate(messages)
    ]
    for start in range(0, len(events), batch):
        extraction.send(*events[start : start + batch])

    assert set(extraction.known().values()) == right
