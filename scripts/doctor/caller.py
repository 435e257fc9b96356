"""Who asks, and whether this machine's clock agrees with the account's: signatures hang on both."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import Finding, fail, ok, skipped, warn

SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 60, 300  # AWS refuses signatures that are five minutes off


def caller(deployment: DeployedEnvironment) -> Iterator[Finding]:
    before = datetime.now(UTC)
    answer = deployment.client("sts").get_caller_identity()
    arn = answer["Arn"]
    if arn.endswith(":root") and not deployment.is_local:
        yield warn("caller", f"{arn}: the account's root", "take an operator's role")
    else:
        yield ok("caller", arn)
    yield _skew(answer["ResponseMetadata"]["HTTPHeaders"].get("date"), before)


def _skew(date: str | None, here: datetime) -> Finding:
    if date is None:
        return skipped("clock", "the answer bears no date")
    off = abs((parsedate_to_datetime(date) - here).total_seconds())
    if off < SKEW_WARN_SECONDS:
        return ok("clock", f"within {SKEW_WARN_SECONDS} s of the account's")
    told = f"{off:.0f} s from the account's"
    if off < SKEW_FAIL_SECONDS:
        return warn("clock", told, "set this machine's clock")
    return fail("clock", told, "set this machine's clock: signatures are refused")
