"""scripts/demo/story: what the demo prints."""

import io
from typing import Any

from rich.console import Console

from scripts.demo import report
from scripts.demo.sources import EventSource
from scripts.demo.stack import PollClock, QueueDepth
from scripts.demo.story import DemoRun, send_and_wait, show_answer, show_facts
from tests.unit.demo_api import CannedApi, a_fact

BEFORE = a_fact(value="Bristol", valid_from="2026-11-09T12:00:00Z", provenance={"event_id": "e-0"})


def an_event(event_id: str, user: str = "mia", text: str = "I live in Bath now.") -> dict[str, Any]:
    return {"event_id": event_id, "user_id": user, "type": "message.sent", "payload": {"text": text}}


def run_story(api: CannedApi, *events: dict[str, Any]) -> str:
    """Return what the whole demo prints into a file 100 columns wide, after the stack is up."""
    console = Console(file=io.StringIO(), width=100, highlight=False, emoji=False)
    depths = iter([QueueDepth(0, 0, 0, 0), QueueDepth(1, 0, 0, 0), *[QueueDepth(0, 0, 0, 1)] * 4])
    story = DemoRun(
        api.client(),
        lambda: next(depths),
        EventSource("week", events),
        console,
        PollClock(sleep=lambda _: None),
    )
    send_and_wait(story)
    show_facts(story)
    show_answer(story, stand_in=True)
    report.show_next_steps(console, "http://membus.test/api", "mia")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_every_fact_is_shown_with_its_quote_and_its_event() -> None:
    output = run_story(CannedApi(facts={"mia": [a_fact()]}), an_event("e-1"))

    for part in ("home.city", "Bath", "2026-11-10", "user stated", "“Bath, that is”", "e-1"):
        assert part in output


def test_changed_fact_is_shown_with_the_value_it_replaced() -> None:
    now = a_fact(replaced="Bristol")
    api = CannedApi(facts={"mia": [now]}, histories={"home.city": [now, BEFORE]})

    assert "home.city: Bristol (09 Nov 2026, e-0) → Bath (10 Nov 2026, e-1)" in run_story(
        api, an_event("e-1")
    )


def test_fact_said_twice_is_not_shown_as_a_change() -> None:
    said = a_fact(replaced="bath")

    output = run_story(
        CannedApi(facts={"mia": [said]}, histories={"home.city": [said, said]}), an_event("e-1")
    )

    assert "→" not in output


def test_user_with_most_events_comes_first_and_others_get_a_line_each() -> None:
    api = CannedApi(facts={"mia": [a_fact()], "tom": [a_fact(value="Leeds")]})

    output = run_story(api, an_event("e-0", "tom"), an_event("e-1"), an_event("e-2"))

    assert "knows about mia" in output
    assert "tom: 1 fact (home.city = Leeds)" in output


def test_rejected_events_and_dead_letters_are_reported() -> None:
    output = run_story(CannedApi(refuse=frozenset({"e-2"})), an_event("e-1"), an_event("e-2"))

    assert "1 accepted, 1 rejected, no duplicates" in output
    assert "rejected e-2: invalid: no such type" in output
    assert "1 message could not be processed" in output


def test_prompt_is_compared_with_the_messages_of_the_whole_history() -> None:
    many = [an_event(f"e-{number}", text="one two three four five six seven eight") for number in range(240)]

    output = run_story(CannedApi(facts={"mia": [a_fact()]}), *many)

    assert "10.0 times fewer tokens" in output  # 240 lines of ten tokens each against a prompt of 240


def test_question_is_one_that_the_facts_in_the_prompt_can_answer() -> None:
    known = [a_fact(), a_fact(key="diet", value="vegan")]

    output = run_story(
        CannedApi(facts={"mia": known}, lines=["- diet: vegan (since 2026-11-10)"]), an_event("e-1")
    )

    assert "mia: What should I cook tonight" in output
    assert "1 of 2 facts" in output


def test_history_shorter_than_the_prompt_is_reported_as_short() -> None:
    assert "So short a history" in run_story(CannedApi(facts={"mia": [a_fact()]}), an_event("e-1"))


def test_markup_in_user_text_is_shown_as_text() -> None:
    assert "[red]Bath[/red] :dog:" in run_story(
        CannedApi(facts={"mia": [a_fact(value="[red]Bath[/red] :dog:")]}), an_event("e-1")
    )


def test_api_key_is_never_printed_and_commands_are_not_wrapped() -> None:
    output = run_story(CannedApi(facts={"mia": [a_fact()]}), an_event("e-1"))

    assert "mb_key" not in output
    assert (
        'curl -s -w "\\n" -H "Authorization: Bearer $KEY" http://membus.test/api/v1/users/mia/profile\n'
        in output
    )
