"""The door between chat and memory: passages for a message, and texts by memory; the gateway cannot open it."""

from typing import Any

import pytest

from functions.memory import handler as memory
from membus.domain.recall import Recalled
from membus.domain.remembered import memories_of_event
from membus.domain.retrieval import entry_of
from tests.door import Door, Invocation
from tests.factories import said


def inside(event: dict[str, Any]) -> Any:
    context: Any = Invocation()
    return memory.handler(event, context)


@pytest.fixture
def known(door: Door) -> Door:
    """Ada has said where she keeps her keys; so has somebody of another tenant."""
    for tenant, place in (("acme", "in the blue bowl"), ("zeta", "under the mat")):
        event = said(f"I keep my spare keys {place}.").model_copy(update={"tenant_id": tenant})
        door.memories.put(tenant, [entry_of(each) for each in memories_of_event(event)])
    return door


@pytest.mark.usefixtures("known")
def test_a_message_finds_the_passages_of_its_user() -> None:
    asked = {"tenant": "acme", "user": "ada", "message": "Where are my spare keys?", "limit": 5}

    (passage,) = map(Recalled.model_validate, inside({"recall": asked}))

    assert passage.text == "I keep my spare keys in the blue bowl."
    assert (passage.memory_id, passage.source.event_id) == ("event:e1", "e1")
    assert inside({"recall": asked | {"user": "eve"}}) == []


@pytest.mark.usefixtures("known")
def test_texts_are_those_of_the_tenant_that_are_still_there() -> None:
    wanted = {"tenant": "acme", "memory_ids": ["event:e1", "event:gone"]}

    assert inside({"passages": wanted}) == {"event:e1": ["I keep my spare keys in the blue bowl."]}


def test_a_request_of_the_gateway_is_never_taken_for_one_from_inside(known: Door) -> None:
    answer = known.post("/v1/search", {"recall": {"tenant": "zeta", "user": "ada", "message": "keys", "limit": 5}})

    assert answer.status == 422
