"""DynamoDB requests and units of an event, a profile read and a chat turn."""

import json
import re
from collections.abc import Callable

from membus.core.event import Event
from membus.llm.prompt import Prompt
from tests.benchmarks.aws_calls import count_calls
from tests.benchmarks.dynamo_stores import BOB, Stores
from tests.benchmarks.table import Table
from tests.factories import ADA, a_server_error, a_setting, an_event, said
from tests.strict import strict_aws

EVENT_ID = re.compile(r'"event_id": "([^"]+)"')


def measure() -> Table:
    """Run the real use cases over the real adapters, once each, on tables like the deployed ones."""
    with strict_aws():
        stores = Stores(_a_fact_each)
        rows = [*_events(stores), *_turns(stores)]
    columns = ("what", "requests", "write units", "read units", "dollars per million")
    return Table("DynamoDB work, counted", columns, rows)


def _events(stores: Stores) -> list[tuple[str, ...]]:
    sent = [{"user_id": BOB.user, "type": "page.viewed", "payload": {"path": "/home"}}] * 100
    words = [{"user_id": BOB.user, "type": "message.sent", "payload": {"text": "I live in Lisbon."}}] * 100
    alone, ten, views = (
        _message("m0"),
        [_message(f"batch-{n}") for n in range(10)],
        [_home(n) for n in range(10)],
    )
    return [
        _row("accepted by the API: a page view, of a hundred", stores, lambda: stores.send(*sent), share=100),
        _row("accepted by the API: a message alone", stores, lambda: stores.send(words[0])),
        _row(
            "accepted by the API: a message of one user, of a hundred",
            stores,
            lambda: stores.send(*words),
            share=100,
        ),
        _row(
            "a page view (recorded, no rule concerns it), in a batch of ten",
            stores,
            lambda: stores.extract(*views),
            share=10,
        ),
        _row("a page view that two rules count", stores, lambda: stores.extract(_page_view("/recipes/soup"))),
        _row("a click that two rules count", stores, lambda: stores.extract(_click())),
        _row("a changed setting (a rule, no model)", stores, lambda: stores.extract(a_setting("s1"))),
        _row("a server error (a rule that counts)", stores, lambda: stores.extract(a_server_error("x1"))),
        _row("a message with a fact, alone", stores, lambda: stores.extract(alone)),
        _row("a message with a fact, in a batch of ten", stores, lambda: stores.extract(*ten), share=10),
        _row("the same event once more", stores, lambda: stores.extract(a_setting("s1"))),
    ]


def _turns(stores: Stores) -> list[tuple[str, ...]]:
    return [
        _row("a profile read", stores, lambda: stores.facts.get_profile(ADA)),
        _row("a chat turn, before the model", stores, stores.context),
        _row("a chat turn by itself (turn 50)", stores, stores.turn),
        _row("a chat turn over HTTP, answered after 3 s (turn 51)", stores, stores.turn_over_http),
        _row("the window alone", stores, lambda: stores.window(stores.conversations)),
        _row("the window alone, hot tier cold", stores, lambda: stores.window(stores.hot)),
        _row("the window alone, hot tier warm", stores, lambda: stores.window(stores.hot)),
    ]


def _row(what: str, stores: Stores, act: Callable[[], object], *, share: int = 1) -> tuple[str, ...]:
    with count_calls(*stores.clients) as calls:
        act()
    requests = ", ".join(f"{count / share:g} {name}" for name, count in calls.requests.items())
    return (
        what,
        requests,
        f"{calls.writes / share:g}",
        f"{calls.reads / share:g}",
        f"{calls.dollars / share * 1e6:.2f}",
    )


def _a_fact_each(prompt: Prompt) -> str:
    facts = [
        {
            "event_id": event_id,
            "subject": "user",
            "attribute": "home.city",
            "value": "Lisbon",
            "quote": "I live in Lisbon",
            "kind": "place",
            "stance": "stated",
        }
        for event_id in EVENT_ID.findall(prompt.messages[-1].text)
    ]
    return json.dumps({"facts": facts})


def _message(event_id: str) -> Event:
    return said("I live in Lisbon.", event_id, origin="api")


def _home(number: int) -> Event:
    return an_event(f"home-{number}", type="page.viewed", payload={"path": "/home"})


def _page_view(path: str) -> Event:
    return an_event(f"p{path.replace('/', '-')}", type="page.viewed", payload={"path": path})


def _click() -> Event:
    return an_event("c1", type="element.clicked", payload={"name": "buy"})
