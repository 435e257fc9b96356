"""One tenant floods: its neighbour's wait is counted in calls of the model and in order, never in seconds."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from threading import Event as Signal

from membus.core.errors import BudgetError, BusyError
from membus.core.event import Event
from membus.core.identity import Owner
from membus.llm.prompt import Prompt
from membus.tenants.model import RateLimit
from tests.factories import said
from tests.fakes.event_bus import InMemoryOverflowQueue
from tests.fakes.model import ScriptedModel
from tests.support.extraction import Extraction, a_message, observant, shown

HOT, NEIGHBOUR = Owner(tenant="hot", user="bot"), Owner(tenant="acme", user="ada")
FLOOD, BATCH = 200, 10
PATIENCE_SECONDS = 30.0


def flood(*, users: int = 1) -> list[Event]:
    owners = [Owner(tenant=HOT.tenant, user=f"bot{number}") for number in range(users)]
    return [
        said(f"I like tea{number}", f"h{number}", owner=owners[number % users]) for number in range(FLOOD)
    ]


def asked(prompt: Prompt) -> str:
    """Return the first event of a question, which tells whose it is."""
    return str(shown(prompt)[0]["event_id"])


def batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    waiting = iter(events)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def run(extraction: Extraction, events: list[Event]) -> list[str]:
    """Deliver the queue in its order, batch by batch, as one consumer does; return what comes back."""
    return [
        back
        for batch in batches(events)
        for back in extraction.deliver(*(a_message(each, f"m-{each.event_id}") for each in batch))
    ]


def test_tenant_behind_a_flood_waits_for_one_model_call_per_batch() -> None:
    extraction = Extraction(observant())

    assert run(extraction, [*flood(), said("I live in Rome", "n1", owner=NEIGHBOUR)]) == []

    order = [asked(prompt) for prompt in extraction.prompts()]
    assert order.index("n1") == FLOOD / BATCH
    assert extraction.known(NEIGHBOUR) == {"home.city": "Rome"}


def test_tenant_behind_a_flood_waits_for_the_floods_quota_alone() -> None:
    extraction = Extraction(observant(), quota=RateLimit(per_second=0.5))

    for batch in batches([*flood(), said("I live in Rome", "n1", owner=NEIGHBOUR)]):
        extraction.send(*batch)

    order = [asked(prompt) for prompt in extraction.prompts()]
    assert order.index("n1") == 1
    assert extraction.known(NEIGHBOUR) == {"home.city": "Rome"}
    aside = extraction.overflow_queue.held
    assert len(aside) == FLOOD - 5
    extraction.deliver(
        *(
            a_message(body, f"s{place}", queue_arn=InMemoryOverflowQueue.ARN)
            for place, (body, _) in enumerate(aside)
        )
    )
    assert len(extraction.known(Owner(tenant=HOT.tenant, user="bot0"))) == FLOOD


def test_flood_without_budget_costs_other_tenants_no_call() -> None:
    def read(prompt: Prompt) -> str:
        if asked(prompt).startswith("h"):
            raise BudgetError("the budget is spent")
        answered.append(asked(prompt))
        return '{"facts": []}'

    answered: list[str] = []
    extraction = Extraction(ScriptedModel(read))

    assert run(extraction, [*flood(), said("I live in Rome", "n1", owner=NEIGHBOUR)]) == []

    assert answered == ["n1"]


def test_flood_without_a_model_returns_its_own_messages_alone() -> None:
    def read(prompt: Prompt) -> str:
        if asked(prompt).startswith("h"):
            raise BusyError("overloaded", code="model_unavailable")
        return '{"facts": []}'

    mixed = [*flood(users=9)[: BATCH - 1], said("I live in Rome", "n1", owner=NEIGHBOUR)]

    back = run(Extraction(ScriptedModel(read)), mixed)

    assert sorted(back) == sorted(f"m-{each.event_id}" for each in mixed if each.event_id != "n1")


def test_other_tenants_facts_are_stored_while_the_floods_call_hangs() -> None:
    """In a row this would never end: the flood's question is answered only once the neighbour is known."""
    learned, words = Signal(), observant()

    def read(prompt: Prompt) -> str:
        if asked(prompt).startswith("h"):
            assert learned.wait(PATIENCE_SECONDS), "the neighbour waits for the flood"
            return '{"facts": []}'
        answer = words.generate_reply(prompt, max_tokens=1, timeout_seconds=1).text
        learned.set()
        return answer

    extraction = Extraction(ScriptedModel(read))
    with ThreadPoolExecutor(2) as pool:
        extraction.run_parallel = pool.map
        back = extraction.send(
            said("I like tea", "h1", owner=HOT), said("I live in Rome", "n1", owner=NEIGHBOUR)
        )

    assert back == []
    assert extraction.known(NEIGHBOUR) == {"home.city": "Rome"}


def test_poison_message_of_the_flood_is_parked_and_its_batch_continues() -> None:
    poison = '{"detail": {"schema": 99}}'
    extraction = Extraction(observant())

    back = extraction.deliver(
        *(a_message(poison, f"p{number}") for number in range(BATCH - 1)),
        a_message(said("I live in Rome", "n1", owner=NEIGHBOUR), "m-n1"),
    )

    assert back == []
    assert len(extraction.poison_messages.parked) == BATCH - 1
    assert extraction.known(NEIGHBOUR) == {"home.city": "Rome"}
