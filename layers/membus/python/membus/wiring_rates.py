"""The composition of fairness.

What tenants may send each second, and how much of it is read before others'.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.domain.rates import Rate, Rates
from membus.observability import RateMeter
from membus.wiring import _env, environment, now
from membus.wiring_usage import ATTEMPTS, READ_SECONDS, tenants

if TYPE_CHECKING:
    from membus.ports.events import SurplusQueue
    from membus.ports.rates import RateStore
    from membus.turnstile import Turnstile


@cache
def turnstile() -> "Turnstile":
    from membus.turnstile import Turnstile

    usual = Rates.model_validate_json(_env("TENANT_RATES"))
    return Turnstile(
        rates=_rates(), tenants=tenants(), usual=usual, clock=now, monitor=RateMeter(environment())
    )


@cache
def surplus() -> "SurplusQueue":
    from membus.adapters.aws import client
    from membus.adapters.sqs_surplus import SqsSurplus

    return SqsSurplus(client("sqs"), _env("SURPLUS_QUEUE_URL"))


def share() -> Rate:
    """Return how much of one tenant each environment of extract reads before it reads others' events."""
    return Rate(per_second=float(_env("EXTRACT_SHARE")))


def _rates() -> "RateStore":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_rates import DynamoRates

    return DynamoRates(
        table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS), now
    )
