"""The demo's week on the deployed stack: sent twice, it teaches the same, and an answer makes use of it."""

import io
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from rich.console import Console

from localstack.home import Stack
from scripts.demo.__main__ import WEEK
from scripts.demo.api import ApiClient, send_events
from scripts.demo.sources import EventSource, read_source
from scripts.demo.stack import ExtractQueue, PollClock
from scripts.demo.story import DemoRun, show_answer, show_facts

pytestmark = pytest.mark.stack

USER = f"mia-{uuid4().hex[:8]}"  # a stack that is given may have seen other runs
SOURCE = EventSource(
    "a week",
    [
        event | {"user_id": USER, "event_id": f"{USER}-{event['event_id']}"}
        for event in read_source(WEEK).events
    ],
)
PATIENCE_SECONDS = 120
QUIET_POLLS = 6
EXPECTED = frozenset(
    {
        "name": "Mia",
        "home.city": "Bath",
        "diet": "vegan",
        "setting.theme": "dark",
        "frustrated_by.error-500": "HTTP 500 on /checkout, 3 times",
    }.items()
)


@pytest.fixture
def api(stack: Stack) -> Iterator[ApiClient]:
    api = ApiClient(stack.api_url, stack.api_key)
    yield api
    api.close()


def settled(api: ApiClient, expected: frozenset[tuple[str, str]]) -> dict[str, str]:
    """Return the facts once the expected ones are there and nothing moved for a while.

    The queue is no help here: other tests leave messages of their own in it.
    """
    deadline, quiet = time.monotonic() + PATIENCE_SECONDS, 0
    facts: dict[str, str] = {}
    while quiet < QUIET_POLLS and time.monotonic() < deadline:
        time.sleep(0.5)
        before, facts = facts, {fact.key: fact.value for fact in api.list_all("users", USER, "facts")}
        quiet = quiet + 1 if facts == before and expected <= set(facts.items()) else 0
    return facts


def test_week_sent_twice_becomes_the_same_facts(stack: Stack, api: ApiClient) -> None:
    first = send_events(api, SOURCE.events, advance=lambda _: None)
    learned = settled(api, EXPECTED)
    second = send_events(api, SOURCE.events, advance=lambda _: None)

    assert (first.accepted, first.rejected) == (len(SOURCE.events), [])
    assert set(learned.items()) >= EXPECTED
    assert second.accepted == first.accepted
    assert settled(api, EXPECTED) == learned
    assert ExtractQueue(stack.endpoint_url).get_depth().messages_left >= 0


def test_demo_shows_facts_with_evidence_an_answer_and_its_prompt(stack: Stack, api: ApiClient) -> None:
    send_events(api, SOURCE.events, advance=lambda _: None)
    settled(api, EXPECTED)
    page = io.StringIO()
    queue = ExtractQueue(stack.endpoint_url)

    story = DemoRun(api, queue.get_depth, SOURCE, Console(file=page, width=100), PollClock())
    show_facts(story)
    show_answer(story, stand_in=True)

    answered = "Your diet is vegan and you do not like coriander."
    changed = ("home.city: Bristol (09 Nov 2026", "→ Bath (14 Nov 2026", "→ vegan (13 Nov 2026")
    for part in (*changed, answered, "profile", "tokens"):
        assert part in page.getvalue()
