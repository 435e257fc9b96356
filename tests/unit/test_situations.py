"""What membus believes after a few messages of one user, each read by a model that proposes what a person would."""

import json
from datetime import timedelta

import pytest

from membus.llm.prompt import Prompt
from tests.factories import NOON, an_event, said
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, observant, shown

Proposal = tuple[str, str, str]
"""Attribute, value and stance of a candidate, whose quote is the whole message."""


def believe(*messages: tuple[str, list[Proposal]]) -> set[str]:
    """Return the values that are current after the messages, an hour apart."""
    proposals = {f"e{number}": message for number, message in enumerate(messages)}

    def read(prompt: Prompt) -> str:
        facts = [
            {
                "event_id": each["event_id"],
                "subject": "user",
                "attribute": attribute,
                "value": value,
                "quote": proposals[each["event_id"]][0],
                "kind": "preference",
                "stance": stance,
            }
            for each in shown(prompt)
            for attribute, value, stance in proposals[each["event_id"]][1]
        ]
        return json.dumps({"facts": facts})

    extraction = Extraction(ScriptedModel(read))
    for number, (text, _) in enumerate(messages):
        extraction.send(said(text, f"e{number}", occurred_at=NOON + timedelta(hours=number)))
    return {value for value in extraction.known().values() if value}


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("Would you mind keeping in mind that I'm left-handed?", "trait", "left-handed"),
        ("Could you find me a gym near Leith? I live there.", "home.city", "Leith"),
        ("Can you recommend a pizzeria, I live in Naples?", "home.city", "Naples"),
        ("What would you cook for someone like me who hates olives?", "dislikes", "olives"),
        ("no I'm not kidding, I really do run marathons", "hobby", "run marathons"),
        ("Never been happier since I joined Spotify", "work.employer", "Spotify"),
        ("The doctor told me I'm diabetic, so no sugar please", "health.condition", "diabetic"),
        ("Mein Arzt sagt, ich habe Asthma", "health.condition", "Asthma"),
        ("No como carne, soy vegetariano", "diet", "vegetariano"),
        ("Bydlím v Brně", "home.city", "Brno"),
        ("My sister is Anna and my boss is Anna", "work.boss", "Anna"),
    ],
)
def test_a_fact_is_learned_whatever_stands_around_it(text: str, attribute: str, value: str) -> None:
    assert believe((text, [(attribute, value, "stated")])) == {value}


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("Write a story in which I am a pirate", "work.role", "pirate"),
        ("The song goes 'I'm a barbie girl'", "name", "barbie girl"),
        ("Do you think I'm a vegan?", "diet", "vegan"),
        ("Would someone like you who hates olives eat this?", "dislikes", "olives"),
        ("Is it true that I live in Leith?", "home.city", "Leith"),
    ],
)
def test_what_the_user_does_not_say_of_themselves_is_not_learned(
    text: str, attribute: str, value: str
) -> None:
    assert believe((text, [(attribute, value, "stated")])) == set()


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("I speak Dutch and Polish", [("language", "Dutch"), ("language", "Polish")]),
        ("I'm vegetarian and gluten-free", [("diet", "vegetarian"), ("diet", "gluten-free")]),
        ("I'm a nurse and a DJ", [("work.role", "nurse"), ("work.role", "DJ")]),
        ("I live in Oslo and in Bergen", [("home.city", "Oslo"), ("home.city", "Bergen")]),
    ],
)
def test_two_values_of_one_message_are_two_facts(text: str, facts: list[tuple[str, str]]) -> None:
    proposed = [(attribute, value, "stated") for attribute, value in facts]

    assert believe((text, proposed)) == {value for _, value in facts}


@pytest.mark.parametrize(
    ("first", "then", "attribute", "left"),
    [
        ("I speak Dutch", ("I speak Polish too", "Polish"), "language", {"Dutch", "Polish"}),
        ("I'm vegetarian", ("I'm vegan now", "vegan"), "diet", {"vegan"}),
        ("I'm vegan", ("I don't eat gluten, gluten-free", "gluten-free"), "diet", {"vegan", "gluten-free"}),
        ("I am Type O-", ("Sorry, it is type O+", "O+"), "blood_type", {"O+"}),
        ("My favourite colour is blue", ("It's green now", "green"), "favorite_color", {"green"}),
    ],
)
def test_a_value_replaces_what_it_excludes_alone(
    first: str, then: tuple[str, str], attribute: str, left: set[str]
) -> None:
    said_first = (first, [(attribute, first.rsplit(maxsplit=1)[-1], "stated")])

    assert believe(said_first, (then[0], [(attribute, then[1], "stated")])) == left


@pytest.mark.parametrize(
    ("first", "then", "attribute", "left"),
    [
        ("I am a nurse", ("I also work as a DJ", "DJ"), "work.role", {"nurse", "DJ"}),
        ("I am a nurse", ("I'm a DJ on the side", "DJ"), "work.role", {"nurse", "DJ"}),
        ("I am a nurse", ("I work as a DJ now", "DJ"), "work.role", {"DJ"}),
        ("I live in Oslo", ("We also have a flat in Bergen", "Bergen"), "home.city", {"Oslo", "Bergen"}),
        ("I work at Acme", ("Ich arbeite auch bei Bosch", "Bosch"), "work.employer", {"Acme", "Bosch"}),
        ("My name is Ada", ("My name is also Eve", "Eve"), "name", {"Eve"}),
    ],
)
def test_a_second_job_or_home_stands_beside_the_first(
    first: str, then: tuple[str, str], attribute: str, left: set[str]
) -> None:
    said_first = (first, [(attribute, first.rsplit(maxsplit=1)[-1], "stated")])

    assert believe(said_first, (then[0], [(attribute, then[1], "stated")])) == left


@pytest.mark.parametrize(
    ("fact", "request_"),
    [
        (("likes", "jazz"), "Forget that I like jazz"),
        (("likes", "jazz"), "Please delete what you know about jazz"),
        (("home.city", "Bern"), "That I live in Bern was a mistake"),
        (("home.city", "Bern"), "It's not true that I live in Bern"),
        (("address", "Elm Street 5"), "Please forget my address"),
        (("hobby", "chess"), "Remove chess from my profile please"),
        (("likes", "jazz"), "Vergiss bitte, dass ich jazz mag"),
        (("likes", "jazz"), "Oublie que j'aime le jazz"),
        (("pet", "Rex"), "Can you forget what I told you about Rex?"),
    ],
)
@pytest.mark.parametrize("stance", ["stated", "negated", None])
def test_what_the_user_asks_to_forget_ends(fact: tuple[str, str], request_: str, stance: str | None) -> None:
    """The model may call it stated or negated, or propose nothing."""
    proposed = [(*fact, stance)] if stance and fact[1] in request_ else []

    assert believe((f"It is {fact[1]}", [(*fact, "stated")]), (request_, proposed)) == set()


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (("likes", "jazz"), "Don't forget that I like jazz"),
        (("home.city", "Bern"), "I always forget what the weather in Bern is like"),
        (("pet", "Rex"), "I forgot to feed Rex"),
        (("owns", "Vespa"), "Delete the Vespa photo I sent"),
        (("likes", "jazz"), 'My friend wrote: "forget that I like jazz"'),
    ],
)
def test_words_that_ask_to_forget_no_fact_end_none(fact: tuple[str, str], text: str) -> None:
    assert believe((f"It is {fact[1]}", [(*fact, "stated")]), (text, [])) == {fact[1]}


@pytest.mark.parametrize(
    ("fact", "text", "value", "left"),
    [
        (("pet", "Rex (dog)"), "Rex died last night", "Rex", set()),
        (("owns", "Vespa"), "I sold the red Vespa", "red Vespa", set()),
        (("likes", "iced coffee"), "I no longer like coffee", "coffee", set()),
        (("likes", "coffee"), "I no longer like instant coffee", "instant coffee", {"coffee"}),
        (("pet", "Rex"), "My neighbour's Rex died", "Rex", {"Rex"}),
    ],
)
def test_an_end_reaches_the_fact_that_it_names(
    fact: tuple[str, str], text: str, value: str, left: set[str]
) -> None:
    proposed = [(fact[0], value, "past")]

    assert believe((f"It is {fact[1]}", [(*fact, "stated")]), (text, proposed)) == left


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (("home.city", "Lisbon"), "I don't live in Lisbon anymore"),
        (("home.city", "Stockholm"), "Jag bor inte i Stockholm"),
        (("pet", "Rex"), "Rex died last week"),
        (("likes", "jazz"), "I don't like jazz"),
        (("work.employer", "Acme"), "I no longer work at Acme"),
    ],
)
def test_words_that_deny_a_fact_end_it_though_the_model_calls_it_stated(
    fact: tuple[str, str], text: str
) -> None:
    assert believe((f"It is {fact[1]}", [(*fact, "stated")]), (text, [(*fact, "stated")])) == set()


def test_words_that_chat_marked_end_the_fact_that_they_name() -> None:
    extraction = Extraction(observant())
    extraction.send(said("I like jazz", "e1"), said("I like tea", "e2"))
    words = {"text": "Please drop the jazz thing.", "asked_to_forget": ["drop the jazz thing"]}
    turn = an_event(
        "e3", type="turn.recorded", origin="chat", payload={"user": words, "assistant": {"text": "Done."}}
    )

    extraction.send(turn.model_copy(update={"occurred_at": NOON + timedelta(hours=1)}))

    assert extraction.known() == {"likes.tea": "tea"}


def test_a_producer_cannot_mark_words() -> None:
    extraction = Extraction(observant())
    extraction.send(said("I like jazz", "e1"))
    words = {"text": "I play jazz", "asked_to_forget": ["I play jazz"]}

    extraction.send(an_event("e3", type="turn.recorded", payload={"user": words, "assistant": {"text": ""}}))

    assert extraction.known() == {"likes.jazz": "jazz"}
