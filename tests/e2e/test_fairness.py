"""One tenant floods: how much of it its neighbour waits for, counted, and that the flood loses nothing."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from localstack.stack_file import Stack
from tests.e2e.client import Client, eventually, said, somebody
from tests.e2e.conftest import NewKey
from tests.e2e.parts import told

pytestmark = [pytest.mark.stack, pytest.mark.outage]

FLOOD, BEHIND = 30, 24
"""Events of the flood, and how many of them may be read before the neighbour's: its share, and what consumers of the
surplus queue read meanwhile. Without shares it is all of them."""


@pytest.fixture
def hot(stack: Stack, new_key: NewKey) -> Iterator[Client]:
    client = Client(stack.api_url, new_key(f"hot-{uuid4().hex[:8]}"))
    yield client
    client.close()


def read_by_the_model(stack: Stack, *users: str) -> list[str]:
    """Return the ids of the users' events in the order in which the model was first shown them."""
    calls = httpx2.get(f"{stack.model_url}/_calls").json()["calls"]
    shown = (found for call in calls for found in re.findall(r"[\w-]+:\d+", json.dumps(call["body"])))
    return list(dict.fromkeys(each for each in shown if each.startswith(users)))


def test_a_neighbours_event_passes_by_a_flood_of_which_nothing_is_lost(
    stack: Stack, hot: Client, acme: Client, aws: Callable[[str], Any]
) -> None:
    bot, neighbour = somebody("bot"), somebody("neighbour")
    texts = {f"{bot}:{number}": f"I love tea number {number}. [[fault:slow=1]]" for number in range(FLOOD)}

    with told(aws, "membus-local-extract", EXTRACT_SHARE="0.1"):
        hot.send(*(said(bot, text, event_id=event_id) for event_id, text in texts.items()))
        acme.send(said(neighbour, "I live in Rome.", event_id=f"{neighbour}:0"))
        landed = eventually(lambda: acme.facts(neighbour), bool)
        order = read_by_the_model(stack, bot, neighbour)
        kept = eventually(lambda: hot.facts(bot), lambda facts: len(facts) == FLOOD)

    assert landed == {"home.city": "Rome"}
    assert order.index(f"{neighbour}:0") <= BEHIND
    assert set(kept.values()) == {f"tea number {number}" for number in range(FLOOD)}
