"""What a check finds: how it stands, what was seen, and what to do about it.

The environment under examination: clients for its account, and its functions as they are deployed.

Which runbook an alarm is for: its name without prefix ends like this.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from membus.core.errors import MembusError, NotFoundError, UnavailableError

FUNCTIONS = Path(__file__).parents[2] / "functions"
Config = Mapping[str, Any]
COUNTS = {"Errors", "Invocations", "Throttles", "RateRefusals", "RatesUncounted"}


@dataclass(frozen=True)
class DeployedEnvironment:
    """`is_local` where an emulator answers: some of what AWS knows, it does not."""

    environment: str
    is_local: bool
    client: Callable[[str], Any]

    def resource_name(self, thing: str) -> str:
        return f"membus-{self.environment}-{thing}"

    def short_name(self, name: str) -> str:
        return name.rpartition("/")[2].removeprefix(self.resource_name(""))

    @property
    def shipped_functions(self) -> list[str]:
        """Return the functions of this checkout."""
        return sorted(each.parent.name for each in FUNCTIONS.glob("*/handler.py"))

    @cached_property
    def function_configurations(self) -> dict[str, Config]:
        """Return the configuration of each deployed function, by its name without prefix."""
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        mine = (
            each
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith(self.resource_name(""))
        )
        return {self.short_name(each["FunctionName"]): each for each in mine}

    @cached_property
    def function_settings(self) -> dict[str, str]:
        """Return what all functions are told: where tables, queues, secrets and models are."""
        if not self.function_configurations:
            raise NotFoundError(
                f"{self.environment} has no functions: is it deployed, and is this its region?"
            )
        told: dict[str, str] = {}
        for each in self.function_configurations.values():
            told |= each.get("Environment", {}).get("Variables", {})
        return told

    def get_highest_metric(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], *, hours: int = 1
    ) -> float | None:
        """Return a metric's highest value, summed over five minutes where it counts.

        None where nobody measured.
        """
        statistic = "Sum" if metric in COUNTS else "Maximum"
        now = datetime.now(UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=metric,
            StartTime=now - timedelta(hours=hours),
            EndTime=now,
            Period=300,
            Statistics=[statistic],
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        )["Datapoints"]
        return max((float(point[statistic]) for point in points), default=None)


class FindingStatus(StrEnum):
    """In the order of what an operator should look at first."""

    FAIL = "fail"
    WARN = "warn"
    SKIPPED = "skipped"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """`about` names the thing, `page` the runbook below docs/runbooks that says what to do."""

    about: str
    status: FindingStatus
    found: str
    remedy: str | None = None
    page: str | None = None


APPLY_AGAIN = "make plan shows what was changed by hand, make apply puts it back"
Check = Callable[[DeployedEnvironment], Iterator[Finding]]
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
UNKNOWN = {
    "InvalidAction",
    "UnknownOperation",
    "UnknownOperationException",
    "UnsupportedOperation",
    "NotImplemented",
    "NotImplementedException",
    "404",
    "501",
}


def ok(about: str, found: str) -> Finding:
    return Finding(about, FindingStatus.OK, found)


def warn(about: str, found: str, remedy: str, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.WARN, found, remedy, page)


def fail(about: str, found: str, remedy: str, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.FAIL, found, remedy, page)


def skipped(about: str, why: str) -> Finding:
    return Finding(about, FindingStatus.SKIPPED, f"skipped: {why}")


def judge(about: str, wrong: list[str], *, well: str, remedy: str, page: str | None = None) -> Finding:
    """Return one finding of a thing with several properties.

    All that is wrong with it, or that it is well.
    """
    return fail(about, "; ".join(wrong), remedy, page) if wrong else ok(about, well)


def run_check(name: str, check: Check, deployment: DeployedEnvironment) -> list[Finding]:
    """Run a check; what it may not see, or cannot, is a finding too and no other check's concern.

    Raises:
        UnavailableError: there is no local stack to look at.
    """
    found: list[Finding] = []
    try:
        found.extend(check(deployment))
    except ClientError as error:
        found.append(_client_error(name, error, deployment))
    except (ConnectionFailed, HTTPClientError) as error:
        if deployment.is_local:
            raise UnavailableError(str(error)) from error
        found.append(_unreachable(name, str(error)))
    except BotoCoreError as error:
        why = f"{type(error).__name__}: {error}"
        found.append(
            skipped(name, f"the emulator answers otherwise ({why})")
            if deployment.is_local
            else _unreachable(name, why)
        )
    except MembusError as error:
        found.append(_unreachable(name, error.detail))
    return found


def _client_error(name: str, error: ClientError, deployment: DeployedEnvironment) -> Finding:
    code, operation = error.response["Error"]["Code"], error.operation_name
    if code in DENIED:
        return fail(name, f"you may not {operation}", "take an operator's role that may read the account")
    if code in UNKNOWN and deployment.is_local:
        return skipped(name, f"the emulator knows no {operation}")
    return fail(
        name, f"{operation}: {code}: {error.response['Error'].get('Message', '')}", "deploy: make apply"
    )


def _unreachable(name: str, why: str) -> Finding:
    return fail(name, why, "see whether the part is up, and whether this machine reaches it")


ENDINGS = (
    ("-rule-dlq-not-empty", "{route}-rule-dlq-not-empty"),
    ("-dlq-not-empty", "{route}-dlq-not-empty"),
    ("-not-empty", "{route}-not-empty"),
    ("-falls-behind", "{route}-falls-behind"),
    ("-failedinvocations", "route-undelivered"),
    ("-invocationsfailedtobesenttodlq", "route-undelivered"),
    ("-at-its-ceiling", "{route}-at-its-ceiling"),
    ("-wait", "{route}-wait"),
    ("-throttled", "{route}-throttled"),
    ("archive-problems", "archive"),
    ("api-failures", "api-failures"),
    ("socket-failures", "socket-failures"),
    ("socket-refusals", "socket-failures"),
    ("-errors", "function-errors"),
    ("-throttles", "function-throttles"),
    ("-slow", "function-slow"),
    ("-behind", "index-behind"),
)
SHARED = {
    "extract-surplus-falls-behind": "floods",
    "export-falls-behind": "transfer",
    "export-dlq-not-empty": "transfer",
    "export-rule-dlq-not-empty": "transfer",
    "erase-dlq-not-empty": "erase-falls-behind",
    "erase-rule-dlq-not-empty": "erase-falls-behind",
    "summarize-dlq-not-empty": "summarize-falls-behind",
    "summarize-rule-dlq-not-empty": "summarize-falls-behind",
}


def find_runbook(alarm: str) -> str | None:
    """Return the page below docs/runbooks for an alarm's name without its environment, None where there is none."""
    for ending, page in ENDINGS:
        if alarm.endswith(ending):
            named = page.format(route=alarm.removesuffix(ending))
            return SHARED.get(named, named)
    return None
