"""The port RateStore, on the fake and on DynamoDB.

One bucket for all environments, whatever their clocks say.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from membus.tenants.dynamodb import DynamoRateLimits
from membus.tenants.model import RateLimit
from membus.tenants.ports import RateLimitStore
from tests.fakes.clock import StoppedClock
from tests.fakes.rate_limits import InMemoryRateLimits
from tests.strict import strict_aws
from tests.support.tables import make_table

TWO = RateLimit(per_second=2)
"""Twenty at once, then one every half second."""
SECOND = timedelta(seconds=1)


class Environments:
    """Several environments over one store; each of DynamoDB's keeps a memory of its own."""

    def __init__(self, clock: StoppedClock, another: Callable[[], RateLimitStore]) -> None:
        self.clock, self.another = clock, another
        self.one, self.two = another(), another()


@pytest.fixture(params=["fake", "dynamodb"])
def environments(request: pytest.FixtureRequest) -> Iterator[Environments]:
    clock = StoppedClock()
    if request.param == "fake":
        store = InMemoryRateLimits(clock)
        yield Environments(clock, lambda: store)
    else:
        with strict_aws():
            table = make_table("tenants")
            yield Environments(clock, lambda: DynamoRateLimits(table, clock))


def passed(store: RateLimitStore, count: int, *, tenant: str = "acme") -> int:
    """Return how many of `count` single requests pass."""
    return sum(store.consume_capacity(tenant, "requests", 1, TWO) == 0 for _ in range(count))


def test_a_burst_passes_and_then_the_rate(environments: Environments) -> None:
    assert passed(environments.one, 50) == 20

    environments.clock.advance(3 * SECOND)

    assert passed(environments.one, 50) == 6


def test_refused_request_gets_its_wait_and_takes_nothing(environments: Environments) -> None:
    passed(environments.one, 20)

    assert environments.one.consume_capacity("acme", "requests", 1, TWO) == pytest.approx(0.5)
    assert environments.one.consume_capacity("acme", "requests", 4, TWO) == pytest.approx(2)
    environments.clock.advance(2 * SECOND)

    assert environments.one.consume_capacity("acme", "requests", 4, TWO) == 0


def test_all_environments_share_one_bucket(environments: Environments) -> None:
    taken = [
        passed(each, 7)
        for each in (environments.one, environments.two, environments.another(), environments.one)
    ]

    assert taken == [7, 7, 6, 0]


def test_buckets_of_tenants_and_of_kinds_are_separate(
    environments: Environments,
) -> None:
    passed(environments.one, 50)

    assert passed(environments.one, 50, tenant="zeta") == 20
    assert environments.one.consume_capacity("acme", "events", 1, TWO) == 0


def test_bucket_refills_to_its_capacity_and_no_further(environments: Environments) -> None:
    passed(environments.one, 20)
    environments.clock.advance(3600 * SECOND)

    assert passed(environments.two, 50) == 20


@pytest.mark.parametrize("jump", [600 * SECOND, -600 * SECOND], ids=["ahead", "back"])
def test_clock_jump_locks_no_tenant_out(environments: Environments, jump: timedelta) -> None:
    passed(environments.one, 5)
    environments.clock.advance(jump)
    passed(environments.one, 5)
    environments.clock.advance(-jump)

    assert passed(environments.two, 10) == 10


def test_changed_rate_limit_applies_at_once(environments: Environments) -> None:
    passed(environments.one, 50)

    assert environments.one.consume_capacity(
        "acme", "requests", 1, RateLimit(per_second=20)
    ) == pytest.approx(1 / 20)
    environments.clock.advance(SECOND)
    assert [
        environments.one.consume_capacity("acme", "requests", 10, RateLimit(per_second=20)) for _ in range(2)
    ] == [
        0,
        0,
    ]


def test_repeated_refusal_costs_no_request() -> None:
    """A flood that is refused must not load the table that it is counted in."""
    with strict_aws():
        table, requests = make_table("tenants"), list[str]()
        table.meta.client.meta.events.register(
            "before-call.dynamodb.*", lambda model, **_: requests.append(model.name)
        )
        store = DynamoRateLimits(table, StoppedClock())

        assert passed(store, 1_000) == 20

    assert requests == ["UpdateItem"] * 20
