"""The environment under examination, what a check finds in it, and the runbook of an alarm."""

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
COUNTED_METRICS = {"Errors", "Invocations", "Throttles", "RateRefusals", "RatesUncounted"}
APPLY_AGAIN = "make plan shows what was changed by hand, make apply puts it back"
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
Config = Mapping[str, Any]


@dataclass(frozen=True)
class DeployedEnvironment:
    """Clients for the environment's account; `is_local` if an emulator answers, which knows less than AWS."""

    environment: str
    is_local: bool
    client: Callable[[str], Any]

    def resource_name(self, thing: str) -> str:
        return f"membus-{self.environment}-{thing}"

    def short_name(self, name: str) -> str:
        return name.rpartition("/")[2].removeprefix(self.resource_name(""))

    def list_all(self, service: str, operation: str, key: str, **request: Any) -> list[Any]:
        """Return the items of all pages of an operation's answer."""
        pages = self.client(service).get_paginator(operation).paginate(**request)
        return [item for page in pages for item in page.get(key, [])]

    @property
    def shipped_functions(self) -> list[str]:
        """Return the functions of this checkout."""
        return sorted(each.parent.name for each in FUNCTIONS.glob("*/handler.py"))

    @cached_property
    def function_configurations(self) -> dict[str, Config]:
        """Return the configuration of each deployed function, by its name without prefix."""
        found = self.list_all("lambda", "list_functions", "Functions")
        prefix = self.resource_name("")
        return {
            self.short_name(name): each for each in found if (name := each["FunctionName"]).startswith(prefix)
        }

    @cached_property
    def function_settings(self) -> dict[str, str]:
        """Return the environment variables of all functions: tables, queues, secrets and models."""
        if not self.function_configurations:
            raise NotFoundError(
                f"{self.environment} has no functions: is it deployed, and is this its region?"
            )
        variables = [get_variables(each) for each in self.function_configurations.values()]
        return {name: value for each in variables for name, value in each.items()}

    def list_settings(self, ending: str) -> list[str]:
        """Return the values of the settings whose names end like this, e.g. `_TABLE`."""
        return sorted({value for name, value in self.function_settings.items() if name.endswith(ending)})

    def get_highest_metric(
        self, namespace: str, metric: str, dimensions: Mapping[str, str], *, hours: int = 1
    ) -> float | None:
        """Return a metric's highest value of five minutes, a sum if it counts; None if there is no value."""
        statistic = "Sum" if metric in COUNTED_METRICS else "Maximum"
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


def get_variables(config: Config) -> dict[str, str]:
    """Return the environment variables of a function's configuration."""
    return dict(config.get("Environment", {}).get("Variables", {}))


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


Check = Callable[[DeployedEnvironment], Iterator[Finding]]


def ok(about: str, found: str) -> Finding:
    return Finding(about, FindingStatus.OK, found)


def warn(about: str, found: str, remedy: str, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.WARN, found, remedy, page)


def fail(about: str, found: str, remedy: str = APPLY_AGAIN, page: str | None = None) -> Finding:
    return Finding(about, FindingStatus.FAIL, found, remedy, page)


def skipped(about: str, reason: str) -> Finding:
    return Finding(about, FindingStatus.SKIPPED, f"skipped: {reason}")


def judge(
    about: str, wrong: Mapping[str, object], well: str, remedy: str = APPLY_AGAIN, page: str | None = None
) -> Finding:
    """Return one finding: all problems whose condition holds, or `well` if none does."""
    problems = "; ".join(problem for problem, holds in wrong.items() if holds)
    return fail(about, problems, remedy, page) if problems else ok(about, well)


def run_check(name: str, check: Check, deployment: DeployedEnvironment) -> list[Finding]:
    """Run a check; a call that is refused or not answered is a finding, and does not stop other checks.

    Raises:
        UnavailableError: the local stack does not answer.
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
        reason = f"{type(error).__name__}: {error}"
        is_local = deployment.is_local
        found.append(
            skipped(name, f"the emulator answers otherwise ({reason})")
            if is_local
            else _unreachable(name, reason)
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
    message = error.response["Error"].get("Message", "")
    return fail(name, f"{operation}: {code}: {message}", "deploy: make apply")


def _unreachable(name: str, reason: str) -> Finding:
    return fail(name, reason, "check whether the part is up, and whether this machine reaches it")


OWN_RUNBOOKS = ("-not-empty", "-falls-behind", "-at-its-ceiling", "-wait", "-throttled", "api-failures")
"""Alarms that end like this have a page of their own name."""
RUNBOOKS = {
    "-failedinvocations": "route-undelivered",
    "-invocationsfailedtobesenttodlq": "route-undelivered",
    "archive-problems": "archive",
    "erasures-failed": "erasure",
    "hot-away": "hot-throttled",
    "socket-failures": "socket-failures",
    "socket-refusals": "socket-failures",
    "-errors": "function-errors",
    "-throttles": "function-throttles",
    "-slow": "function-slow",
    "-behind": "index-behind",
}
"""The page of an alarm by the end of its name."""
SHARED_RUNBOOKS = {
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
    """Return the page below docs/runbooks for an alarm's name without prefix, None if there is none."""
    if alarm.endswith(OWN_RUNBOOKS):
        return SHARED_RUNBOOKS.get(alarm, alarm)
    return next((page for ending, page in RUNBOOKS.items() if alarm.endswith(ending)), None)
