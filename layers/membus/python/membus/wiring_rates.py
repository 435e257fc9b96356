"""The composition of fairness.

What tenants may send each second, and how much of it is read before others'.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.domain.rates import RateLimit, RateLimits
from membus.observability import EmfRateLimitMonitor
from membus.wiring import _env, environment, now
from membus.wiring_usage import ATTEMPTS, READ_SECONDS, tenants

if TYPE_CHECKING:
    from membus.ports.events import OverflowQueue
    from membus.ports.rates import RateLimitStore
    from membus.turnstile import RateLimiter


@cache
def turnstile() -> "RateLimiter":
    from membus.turnstile import RateLimiter

    usual = RateLimits.model_validate_json(_env("TENANT_RATES"))
    return RateLimiter(
        rates=_rates(), tenants=tenants(), usual=usual, clock=now, monitor=EmfRateLimitMonitor(environment())
    )


@cache
def surplus() -> "OverflowQueue":
    from membus.adapters.aws import aws_client
    from membus.adapters.sqs_surplus import SqsOverflowQueue

    return SqsOverflowQueue(aws_client("sqs"), _env("SURPLUS_QUEUE_URL"))


def share() -> RateLimit:
    """Return how much of one tenant each environment of extract reads before it reads others' events."""
    return RateLimit(per_second=float(_env("EXTRACT_SHARE")))


def _rates() -> "RateLimitStore":
    from membus.adapters.aws import dynamodb_table
    from membus.adapters.dynamo_rates import DynamoRateLimits

    return DynamoRateLimits(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS), now
    )
