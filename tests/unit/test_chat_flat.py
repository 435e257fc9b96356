"""A long conversation: its prefix stays byte for byte, its prompt stays flat, its summaries keep up."""

from datetime import timedelta
from typing import Any

from functions.chat.context import PROMPT_TOKENS_MAX, SECTION_TOKENS
from functions.summarize.schemas import SummaryDue
from functions.summarize.usecase import Summarizer
from membus.llm.prompt import Prompt
from tests.factories import ADA, NOON, a_conversation, an_observation, learn
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient
from tests.support.budgets import budget

TURNS = budget(300, nightly=1_000)
FACT_EVERY = 170
CHAPTER = '{"summary": "They talked.", "entities": [], "intents": [], "decisions": [], "numbers": []}'


def summarise(door: ApiTestClient) -> None:
    """Do what the function behind the queue does, whenever a summary is due."""
    due = [event for event in door.announcements.published if event.type == "summary.due"]
    door.announcements.published.clear()
    for event in due:
        Summarizer(
            conversations=door.conversations,
            summaries=door.summaries,
            model=lambda _: ScriptedModel(CHAPTER),
            clock=door.clock,
            seconds_left=lambda: 10.0,
        ).advance_summary(SummaryDue(tenant_id="acme", conversation_id=str(event.payload["conversation_id"])))


def prefix(prompt: Prompt) -> list[str]:
    """Return the bytes of the prompt block by block, up to the last cache point.

    The points themselves may move.
    """
    *window, _ = prompt.messages
    blocks = [block.model_dump_json(exclude={"cached"}) for block in prompt.system]
    return [*blocks, *(said.model_dump_json(exclude={"cached"}) for said in window)]


def test_a_long_conversation_keeps_its_prefix_and_its_size(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key="c")
    door.model = ScriptedModel("word " * 60)
    sizes: list[int] = []
    broken: list[tuple[int, set[str]]] = []
    before: list[str] = []
    facts, cuts = 0, 0
    for turn in range(TURNS):
        door.clock.advance(timedelta(minutes=1))
        changed: set[str] = set()
        if turn % FACT_EVERY == FACT_EVERY - 1:
            facts += 1
            learn(
                door.facts,
                ADA,
                an_observation(f"Town {facts}", event_id=f"e{facts}", valid_from=door.clock()),
            )
            changed.add("fact")
        cut = door.conversations.get_conversation("acme", "c").counters.cut
        answer = door.post(
            "/v1/conversations/c/messages",
            {"content": f"I did thing {turn} for ${turn}.", "author": "ada"},
            key=str(turn),
        )
        assert answer.status == 200, answer.text
        if door.conversations.get_conversation("acme", "c").counters.cut != cut:
            cuts += 1
            changed.add("cut")
        after = prefix(door.model.prompts[-1])
        if after[: len(before)] != before:
            broken.append((turn, changed))
        before = after
        sizes.append(answer.json["context"]["total_tokens"])
        summarise(door)

    assert all(changed for _, changed in broken), [turn for turn, changed in broken if not changed]
    assert len(broken) == cuts + facts
    assert TURNS / 200 < cuts < TURNS / 25
    assert max(sizes) <= PROMPT_TOKENS_MAX
    assert max(sizes[50 : TURNS // 2]) * 1.2 > max(sizes[TURNS * 4 // 5 :])
    assert not door.conversations.get_conversation("acme", "c").counters.cut.uncovered


def test_a_summariser_that_is_down_costs_coverage_and_nothing_else(door: ApiTestClient) -> None:
    door.conversations.create_conversation(a_conversation("c"), request_key="c")
    door.model = ScriptedModel("word " * 150)
    for turn in range(150):
        door.clock.advance(timedelta(minutes=1))
        door.post(
            "/v1/conversations/c/messages", {"content": f"Thing {turn}.", "author": "ada"}, key=str(turn)
        )

    shown: Any = door.get("/v1/conversations/c/context").json
    windows = {section["name"]: section["tokens"] for section in shown["sections"]}
    assert shown["cut"]["uncovered"]
    assert windows["window"] <= SECTION_TOKENS["window"]

    for _ in range(40):
        door.announcements.published.append(door.announcements.published[-1])
    summarise(door)
    for turn in range(150, 190):
        door.clock.advance(timedelta(minutes=1))
        door.post(
            "/v1/conversations/c/messages", {"content": f"Thing {turn}.", "author": "ada"}, key=str(turn)
        )
        summarise(door)
    assert not door.conversations.get_conversation("acme", "c").counters.cut.uncovered
    assert door.clock() > NOON
