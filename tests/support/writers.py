"""Whoever writes a user's data, over real adapters, with a ledger that was asked just before an erasure began."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from functions.api.review_queue import usecase
from functions.chat.tool_calls import ToolResultStore
from functions.summarize.schemas import SummaryDue
from functions.summarize.usecase import Summarizer
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.dynamodb_unprocessed import DynamoUnprocessedMessages
from membus.conversations.window import DUE_TOKENS
from membus.core.event import IMPORTED_EVENT_TYPE
from membus.erasure.guard import ErasureGuard
from membus.facts.candidates import ReviewRequest, review_item_for
from membus.facts.dynamodb_signals import DynamoSignals
from tests.factories import ADA, a_conversation, an_event, an_observation
from tests.fakes.model import ScriptedModel
from tests.support.canaries import canary_of, happened, speak
from tests.support.erasure import ErasureSetup
from tests.support.extraction import Extraction, a_message, observant
from tests.support.turns import a_chat, a_turn_job, tools_with_results

CANARY = canary_of(ADA)
SUMMARY = json.dumps(
    {"summary": f"They like {CANARY}.", "entities": [], "intents": [], "decisions": [], "numbers": []}
)
APPROVED = review_item_for(ReviewRequest(reason="url", observation=an_observation(CANARY)))


@dataclass(frozen=True)
class Writer:
    """`prepare` leaves what is there before, `write` is what an erasure may come in between.

    `again` says that what is written is delivered again whenever it failed, and replayed long after.
    """

    prepare: Callable[[ErasureSetup], object]
    write: Callable[[ErasureSetup, ErasureGuard], object]
    again: bool = False


def _among_others(house: ErasureSetup) -> None:
    house.conversations.create_conversation(
        a_conversation("talk", user_id="grace", members=("ada",)), request_key="talk"
    )
    speak(house, ADA, "talk", 1)


def _own(house: ErasureSetup) -> None:
    house.conversations.create_conversation(a_conversation("talk"), request_key="talk")
    speak(house, ADA, "talk", 1)


def _long(house: ErasureSetup) -> None:
    _among_others(house)
    for number in (2, 3):
        speak(house, ADA, "talk", number, tokens=DUE_TOKENS // 2)


def _chat(house: ErasureSetup, gate: ErasureGuard) -> None:
    """Answer a message of Ada's, with a result of a tool that lies outside."""
    chat = a_chat(
        conversations=house.conversations,
        summaries=house.summaries,
        facts=house.facts,
        unprocessed=DynamoUnprocessedMessages(house.talks, house.clock),
        model=ScriptedModel(f"Gladly, {CANARY}."),
        clock=house.clock,
        pool_size=1,
        guard=gate,
        jobs=DynamoReplyJobs(house.talks, house.clock),
        make_tools=tools_with_results({"call": CANARY}),
        results=ToolResultStore(lambda: house.contents, lambda _: None),
    )
    chat.answer(a_turn_job(f"I like {CANARY}.", conversation_id="talk", key="late", clock=house.clock))


def _summarize(house: ErasureSetup, _: ErasureGuard) -> None:
    summarizer = Summarizer(
        conversations=house.conversations,
        summaries=house.summaries,
        model=lambda _: ScriptedModel(SUMMARY),
        clock=house.clock,
        seconds_left=lambda: 10.0,
    )
    summarizer.advance_summary(SummaryDue(tenant_id="acme", conversation_id="talk"))


def _extract(house: ErasureSetup, gate: ErasureGuard, *, imported: bool = False) -> None:
    extraction = Extraction(
        observant(),
        episodes=house.tiers.episodes,
        facts=house.facts,
        signals=DynamoSignals(house.memory),
        review_queue=house.held_facts,
        unprocessed=DynamoUnprocessedMessages(house.talks, house.clock),
        erasures=gate.erasures,
    )
    kind: dict[str, Any] = {"type": IMPORTED_EVENT_TYPE} if imported else {}
    words = f"I like {CANARY}. I live in {CANARY}."
    events = [
        an_event(f"e{number}", payload={"text": text}, session_id="s", **kind)
        for number, text in enumerate((words, words + "x" * 40_000))
    ]
    extraction.deliver(*(a_message(event, event.event_id) for event in events))


def _import(house: ErasureSetup, gate: ErasureGuard) -> None:
    _extract(house, gate, imported=True)


def _approve(house: ErasureSetup, _: ErasureGuard) -> None:
    usecase.approve_review_item(
        ADA,
        APPROVED.quarantine_id,
        review_queue=house.held_facts,
        facts=house.facts,
        now=house.clock(),
        sleep=lambda _: None,
    )


def _yesterday(house: ErasureSetup) -> None:
    for name in ("a", "bc"):
        happened(house, ADA, name, days=-1)


def _archive(house: ErasureSetup, gate: ErasureGuard) -> None:
    house.tiers.archiver = replace(house.tiers.archiver, guard=gate)
    house.tiers.archive()


WRITERS = {
    "a turn of their own": Writer(_own, _chat),
    "a turn among others": Writer(_among_others, _chat),
    "a summary of what they said among others": Writer(_long, _summarize),
    "extract": Writer(lambda _: None, _extract, again=True),
    "import": Writer(lambda _: None, _import, again=True),
    "approval": Writer(lambda house: house.held_facts.add_items(ADA, [APPROVED]), _approve),
    "archive": Writer(_yesterday, _archive, again=True),
}
