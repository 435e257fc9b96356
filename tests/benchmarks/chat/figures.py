"""The figures of one conversation: tokens and cost of turns, evidence, slots, error of estimates, time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from functions.chat.context import SYSTEM, PromptContext
from functions.chat.tools import registry
from membus.conversations.conversation import Message
from membus.conversations.prompt_blocks import SUMMARY_TOKENS, escape_tags, render_summary_block
from membus.conversations.slots import is_carried_out
from membus.conversations.summary import Slot
from membus.conversations.window import RATIO_UNKNOWN
from membus.core.identity import Owner
from membus.core.tokens import MESSAGE_OVERHEAD, estimate_tokens
from tests.benchmarks.chat.costs import Bill, Part
from tests.benchmarks.chat.talking import TALK, Exchange, Talk, true_count
from tests.benchmarks.search.data import ASKED, TENANT, Case, found_ids

COMPACTIONS = 10
WINDOW, TOP = 8_000, 10
TOOLS = sum(estimate_tokens(tool.model_dump_json()) for tool in registry.list_definitions())
"""Every prompt has the same head: the system text and the definitions of the tools."""
METHODS = ("full history", "window 8K, sliding", "top-10 passages", "membus")


@dataclass
class Figures:
    """What was measured.

    `slots` says by kind whether each slot of ten compactions is in the prompt after them.

    Intents that were carried out by then are `closed` and not expected.
    """

    case: Case
    bills: dict[str, Bill] = field(default_factory=lambda: {name: Bill() for name in METHODS})
    errors: list[float] = field(default_factory=list)
    true_totals: list[int] = field(default_factory=list)
    assemble_ms: list[float] = field(default_factory=list)
    searched: int = 0
    evidence: dict[str, list[float]] = field(default_factory=dict)
    recall_tokens: list[int] = field(default_factory=list)
    slots: dict[str, list[bool]] = field(default_factory=dict)
    compactions: int = 0
    closed: int = 0


class Measuring:
    def __init__(self, talk: Talk, case: Case) -> None:
        self.talk, self.figures = talk, Figures(case)
        self._history: list[Part] = [Part("tools", TOOLS), Part("system", estimate_tokens(SYSTEM))]
        self._admitted: dict[str, Slot] = {}

    def measure_turn(self, exchange: Exchange, number: int) -> None:
        """Bill the prompt of the next message by each method, then answer the message."""
        talk, content = self.talk, exchange.content
        talk.now = max(exchange.asked[0].occurred_at, talk.now)
        talk.search.until = talk.now
        started = time.perf_counter()
        made = talk.context(content)
        self.figures.assemble_ms.append((time.perf_counter() - started) * 1000)
        self._bill(made, content)
        talk.play_exchange(exchange, number)
        self._history += [_part(content), _part("\n".join(message.text for message in exchange.answered))]
        self._watch_slots()

    def ask_questions(self) -> None:
        """Ask every question of the data set after the conversation."""
        talk = self.talk
        talk.now = talk.search.until = ASKED
        for question in self.figures.case.questions:
            made = talk.context(question.text)
            top = found_ids(
                each.memory_id
                for each in talk.search.search(_nobody(), question.text, agent="default", limit=TOP)
            )
            window = {said.id for message in made.window for said in talk.said[message.message_id]}
            carried = {
                "full history": question.gold,
                "window 8K, sliding": window,
                "top-10 passages": set(top),
                "membus": talk.evidence(made),
            }
            for method, ids in carried.items():
                share = len(question.gold & ids) / len(question.gold)
                self.figures.evidence.setdefault(method, []).append(share)
            self.figures.recall_tokens.append(_section(made, "recall"))

    def _bill(self, made: PromptContext, content: str) -> None:
        bills, message = self.figures.bills, _part(content)
        said = made.prompt.messages
        parts = [
            Part("tools", TOOLS),
            *(Part(block.text, estimate_tokens(block.text)) for block in made.prompt.system),
        ]
        parts += [_part(each.text) for each in said]
        bills["membus"].add(parts, cached=len(parts) - 1)
        bills["full history"].add([*self._history, message], cached=len(self._history))
        head, window = self._history[:2], _fitting(self._history[2:])
        bills["window 8K, sliding"].add([*head, *window, message], cached=2 + len(window))
        passages = self.talk.search.search(_nobody(), content, agent="default", limit=TOP)
        bills["top-10 passages"].add([*head, *(_part(each.text) for each in passages), message], cached=2)
        true = true_count(made.prompt)
        self.figures.true_totals.append(true)
        if self.talk.conversations.get_conversation(TENANT, TALK).counters.rate:
            self.figures.errors.append(abs(made.total_tokens - true) / true)
        self.figures.searched += made.need.search

    def _watch_slots(self) -> None:
        outline = self.talk.summaries.get_index(TENANT, TALK)
        if (
            outline.last_checkpoint.version == self.figures.compactions
            or self.figures.compactions >= COMPACTIONS
        ):
            return
        self.figures.compactions = outline.last_checkpoint.version
        written = self.talk.summaries.list_summaries(TENANT, TALK, limit=1000, after=None).items
        for summary in written:
            if summary.level == 0 and summary.version <= COMPACTIONS:
                self._admitted |= {slot.text: slot for slot in summary.slots}
        shown = render_summary_block(outline, budget=int(SUMMARY_TOKENS / RATIO_UNKNOWN))
        self.figures.slots = {}
        said = self.talk.conversations.list_recent_messages(TENANT, TALK, limit=100_000)
        closed = [each for each in self._admitted.values() if _is_closed(each, said)]
        self.figures.closed = len(closed)
        for slot in (each for each in self._admitted.values() if each not in closed):
            there = slot.model_copy(update={"text": escape_tags(slot.text)}).occurs_in(shown)
            self.figures.slots.setdefault(slot.kind, []).append(there)


def _is_closed(slot: Slot, said: Sequence[Message]) -> bool:
    return slot.kind == "unresolved_intents" and is_carried_out(slot, said)


def _fitting(history: Sequence[Part]) -> list[Part]:
    left, window = WINDOW, []
    for part in reversed(history):
        left -= part.tokens
        if left < 0:
            break
        window.append(part)
    return window[::-1]


def _part(text: str) -> Part:
    return Part(text, estimate_tokens(text) + MESSAGE_OVERHEAD)


def _section(made: PromptContext, name: str) -> int:
    return next(section.tokens for section in made.sections if section.name == name)


def _nobody() -> Owner:
    return Owner(tenant=TENANT, user="ada")
