"""The composition of fairness.

What tenants may send each second, and how much of it is read before others'.
"""

from functools import cache
from typing import TYPE_CHECKING

from membus.observability import EmfRateLimitMonitor
from membus.tenants.model import RateLimit, RateLimits
from membus.wiring import _env, environment, now
from membus.wiring_usage import ATTEMPTS, READ_SECONDS, tenants

if TYPE_CHECKING:
    from membus.events.ports import OverflowQueue
    from membus.tenants.ports import RateLimitStore
    from membus.tenants.rate_limiter import RateLimiter


@cache
def turnstile() -> "RateLimiter":
    from membus.tenants.rate_limiter import RateLimiter

    usual = RateLimits.model_validate_json(_env("TENANT_RATES"))
    return RateLimiter(
        rates=_rates(), tenants=tenants(), usual=usual, clock=now, monitor=EmfRateLimitMonitor(environment())
    )


@cache
def surplus() -> "OverflowQueue":
    from membus.aws.clients import aws_client
    from membus.events.sqs import SqsOverflowQueue

    return SqsOverflowQueue(aws_client("sqs"), _env("SURPLUS_QUEUE_URL"))


def share() -> RateLimit:
    """Return how much of one tenant each environment of extract reads before it reads others' events."""
    return RateLimit(per_second=float(_env("EXTRACT_SHARE")))


def _rates() -> "RateLimitStore":
    from membus.aws.clients import dynamodb_table
    from membus.tenants.dynamodb import DynamoRateLimits

    return DynamoRateLimits(
        dynamodb_table(_env("TENANTS_TABLE"), attempts=ATTEMPTS, read_timeout_seconds=READ_SECONDS), now
    )
