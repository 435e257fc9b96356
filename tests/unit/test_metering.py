"""membus/asking: every call goes on its tenant's account, and none begins once the day's money is spent."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from membus.core.errors import BudgetError, BusyError, ModelError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.llm.clients import StructuredModel
from membus.llm.metering import MeteredClient, MeteredEmbeddingModel
from membus.llm.ports import ModelRequest
from membus.llm.prompt import ModelEvent, ModelReply, ReplyEnd, TextDelta, UnusableReplyError
from membus.tenants.budget import BudgetAccount
from membus.tenants.costs import load_price_list
from membus.tenants.model import Tenant
from tests.factories import NOON, a_prompt
from tests.fakes.clock import StoppedClock
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.usage import InMemoryUsageLedger, RecordingUsageMonitor

OWN = """[{
    "model": "m", "since": "2026-01-01", "input": 1, "output": 10, "cache_read": 0, "cache_write": 2, "source": "x"
}]"""
PAID = TokenUsage(input=100_000, output=10_000, cache_read=5, cache_write=100_000)
"""Forty cents."""
REPLY = ModelReply(text="Hello.", stop_reason="end_turn", model="m-1", usage=PAID)


class Speaking:
    """Says what it is told to, or raises it; counts how often it was asked."""

    def __init__(self, *events: ModelEvent | Exception, name: str = "m") -> None:
        self.name, self._events, self.asked = name, events, 0

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        self.asked += 1
        for event in self._events:
            if isinstance(event, Exception):
                raise event
        return REPLY

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        self.asked += 1
        for event in self._events:
            if isinstance(event, Exception):
                raise event
            yield event


class Books:
    """One tenant's account, over a ledger in memory."""

    def __init__(self, budget: str | None = None) -> None:
        self.clock, self.ledger, self.witness = (
            StoppedClock(NOON),
            InMemoryUsageLedger(),
            RecordingUsageMonitor(),
        )
        self.tenants = InMemoryTenants(
            Tenant("acme", "Acme", NOON, None if budget is None else Decimal(budget)),
            Tenant("zeta", "Zeta", NOON),
        )

    def account(self, tenant: str = "acme") -> BudgetAccount:
        return BudgetAccount(
            tenant=tenant,
            function="chat",
            ledger=self.ledger,
            tenants=self.tenants,
            prices=load_price_list(OWN),
            clock=self.clock,
            monitor=self.witness,
        )

    def model(
        self, *events: ModelEvent | Exception, tenant: str = "acme", name: str = "m"
    ) -> StructuredModel:
        return StructuredModel(MeteredClient(Speaking(*events, name=name), self.account(tenant)))

    @property
    def written(self) -> list[tuple[str, str, str, TokenUsage, Decimal | None]]:
        calls = self.ledger.calls.values()
        return [(call.tenant_id, call.function, call.model, call.usage, call.dollars) for call in calls]


def ask(model: StructuredModel) -> ModelReply:
    return model.generate_reply(a_prompt(), max_tokens=10, timeout_seconds=5)


def listen(model: StructuredModel) -> list[ModelEvent]:
    return list(model.stream_reply(a_prompt(), max_tokens=10, timeout_seconds=5))


ANSWERED = ("acme", "chat", "m", PAID, Decimal("0.4"))


def test_a_reply_is_written_down_and_says_what_it_cost() -> None:
    books = Books()

    assert ask(books.model()).usage.dollars == 0.4
    assert books.written == [ANSWERED]
    assert books.witness.figures == {
        "ModelRequests": 1,
        "TokensFresh": 100_000,
        "TokensCacheRead": 5,
        "TokensCacheWritten": 100_000,
        "TokensOut": 10_000,
    }


def test_a_stream_is_written_down_once_though_it_counts_as_it_goes() -> None:
    books = Books()
    events = listen(
        books.model(
            TokenUsage(input=100_000, output=1), TextDelta(text="Hello."), PAID, ReplyEnd(reply=REPLY)
        )
    )

    assert books.written == [ANSWERED]
    assert isinstance(events[-1], ReplyEnd)
    assert events[-1].reply.usage.dollars == 0.4
    assert [type(event) for event in events] == [TextDelta, TokenUsage, ReplyEnd]


def test_a_listener_who_leaves_pays_for_what_was_counted_by_then() -> None:
    books, begun = Books(), TokenUsage(input=100, output=1)
    stream = books.model(begun, TextDelta(text="Hel"), TextDelta(text="lo.")).stream_reply(
        a_prompt(), max_tokens=10, timeout_seconds=5
    )

    next(stream)
    stream.close()  # type: ignore[attr-defined]  # the port says Iterator; every stream is a generator

    assert [usage for *_, usage, _ in books.written] == [begun]


@pytest.mark.parametrize("cut", [BusyError("torn off"), ModelError("cut", reason="cut_off")])
def test_a_stream_that_breaks_off_is_paid(cut: UnavailableError) -> None:
    books, begun = Books(), TokenUsage(input=100, output=1)

    with pytest.raises(UnavailableError):
        listen(books.model(begun, TextDelta(text="Hel"), cut))

    assert [usage for *_, usage, _ in books.written] == [begun]


def test_an_answer_that_is_of_no_use_is_paid_all_the_same() -> None:
    books = Books()

    with pytest.raises(UnusableReplyError):
        ask(books.model(UnusableReplyError("cut off", reason="cut_off", usage=PAID)))

    assert books.written == [ANSWERED]


def test_a_provider_that_did_not_answer_costs_nothing() -> None:
    books = Books()

    with pytest.raises(BusyError):
        ask(books.model(BusyError("away")))

    assert books.written == []


def test_an_unknown_model_costs_an_unknown_sum_and_somebody_hears_of_it() -> None:
    books = Books()

    assert ask(books.model(name="brand-new")).usage.dollars is None
    assert books.written[0][-1] is None
    assert books.witness.figures["UnpricedCalls"] == 1
    assert books.witness.warnings[0][0] == "this model has no price"


def test_a_spent_budget_stops_the_very_next_call() -> None:
    books = Books(budget="0.40")
    ask(books.model())
    speaker = Speaking()

    for refused in (ask, listen):
        with pytest.raises(BudgetError) as spent:
            refused(StructuredModel(MeteredClient(speaker, books.account())))

        assert (spent.value.code, spent.value.retry_after_seconds) == ("budget_exhausted", 12 * 3600 + 1)
    assert speaker.asked == 0
    assert books.witness.figures["BudgetRefusals"] == 2


def test_a_budget_that_is_not_yet_spent_lets_a_call_through_that_passes_it() -> None:
    books = Books(budget="0.41")

    ask(books.model())
    ask(books.model())

    assert len(books.written) == 2


def test_a_budget_is_whole_again_after_midnight() -> None:
    books = Books(budget="0.40")
    ask(books.model())
    books.clock.advance(timedelta(hours=12))

    assert ask(books.model()).text == "Hello."


def test_a_budget_of_nothing_allows_nothing_and_a_lifted_one_all() -> None:
    books = Books(budget="0")

    with pytest.raises(BudgetError):
        ask(books.model())
    books.tenants.set_budget("acme", None)

    assert ask(books.model()).text == "Hello."


def test_one_tenants_spending_is_not_anothers() -> None:
    books = Books(budget="0.40")
    books.tenants.set_budget("zeta", Decimal("0.40"))
    ask(books.model())

    assert ask(books.model(tenant="zeta")).text == "Hello."


@pytest.mark.parametrize("outage", [UnavailableError("throttled"), RuntimeError("AccessDenied")])
def test_a_ledger_that_is_down_fails_no_call_and_is_heard_of(outage: Exception) -> None:
    books = Books(budget="0.40")
    ask(books.model())
    books.ledger.outage = outage

    assert ask(books.model()).text == "Hello."
    assert (books.witness.figures["BudgetsUnchecked"], books.witness.figures["UsageUnrecorded"]) == (1, 1)
    message, fields = books.witness.warnings[-1]
    unwritten: Any = fields["call"]
    assert message == "usage is not recorded"
    assert (unwritten["tenant_id"], unwritten["dollars"], unwritten["usage"]["output"]) == (
        "acme",
        "0.4",
        10_000,
    )


def test_embeddings_are_written_down_with_their_tokens_and_requests() -> None:
    books = Books()

    MeteredEmbeddingModel(WordEmbeddingModel(), books.account()).embed_texts(["black tea", "coffee"])

    (call,) = books.ledger.calls.values()
    assert (call.model, call.usage, call.requests) == ("words", TokenUsage(input=3, output=0), 2)


def test_an_embedder_that_embedded_nothing_costs_nothing() -> None:
    books, embedder = Books(), WordEmbeddingModel()
    embedder.away = True

    MeteredEmbeddingModel(embedder, books.account()).embed_texts(["black tea"])

    assert books.written == []


def test_nothing_is_embedded_without_money() -> None:
    books, embedder = Books(budget="0"), WordEmbeddingModel()

    with pytest.raises(BudgetError):
        MeteredEmbeddingModel(embedder, books.account()).embed_texts(["black tea"])

    assert embedder.asked == []
