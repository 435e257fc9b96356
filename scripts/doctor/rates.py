"""Fairness: both doors count by the same rates, and could count in the last hour."""

from collections.abc import Iterator

from pydantic import ValidationError

from membus.domain.rates import RateLimits
from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import APPLY_AGAIN, Finding, fail, ok, skipped, warn

LIMITED_FUNCTIONS = ("memory", "chat")


def rates(deployment: DeployedEnvironment) -> Iterator[Finding]:
    yield _same_rates(deployment)
    dimensions = {"environment": deployment.environment}
    uncounted = deployment.highest("membus", "RatesUncounted", dimensions)
    refused = deployment.highest("membus", "RateRefusals", dimensions)
    if uncounted:
        yield warn(
            "rates, counted", f"{uncounted:.0f} requests passed uncounted", "see the table tenants", "floods"
        )
    elif refused is None:
        yield skipped("rates, counted", "nobody was refused in the last hour")
    else:
        yield ok("rates, counted", f"at most {refused:.0f} refused in five minutes")


def _same_rates(deployment: DeployedEnvironment) -> Finding:
    told = {name: _configured_rates(deployment, name) for name in LIMITED_FUNCTIONS}
    if not all(told.values()):
        return skipped("rates", "a door is not told of them: see the functions")
    try:
        found = {name: RateLimits.model_validate_json(text) for name, text in told.items()}
    except ValidationError:
        return fail("rates", f"unreadable: {told}", APPLY_AGAIN, "floods")
    usual, other = found["memory"], found["chat"]
    if usual != other:
        return fail("rates", f"memory counts by {usual}, chat by {other}", APPLY_AGAIN, "floods")
    return ok(
        "rates", f"{usual.requests_per_second:g} requests and {usual.events_per_second:g} events a second"
    )


def _configured_rates(deployment: DeployedEnvironment, name: str) -> str:
    settings: dict[str, str] = deployment.functions.get(name, {}).get("Environment", {}).get("Variables", {})
    return settings.get("TENANT_RATES", "")
