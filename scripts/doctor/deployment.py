"""The environment under examination: clients for its account, and its functions as they are deployed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from membus.errors import NotFoundError

FUNCTIONS = Path(__file__).parents[2] / "functions"
Config = Mapping[str, Any]
COUNTS = {"Errors", "Invocations", "Throttles", "RateRefusals", "RatesUncounted"}


@dataclass(frozen=True)
class DeployedEnvironment:
    """`is_local` where an emulator answers: some of what AWS knows, it does not."""

    environment: str
    is_local: bool
    client: Callable[[str], Any]

    def name(self, thing: str) -> str:
        return f"membus-{self.environment}-{thing}"

    def short(self, name: str) -> str:
        return name.rpartition("/")[2].removeprefix(self.name(""))

    @property
    def shipped(self) -> list[str]:
        """Return the functions of this checkout."""
        return sorted(each.parent.name for each in FUNCTIONS.glob("*/handler.py"))

    @cached_property
    def functions(self) -> dict[str, Config]:
        """Return the configuration of each deployed function, by its name without prefix."""
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        mine = (
            each
            for page in pages
            for each in page["Functions"]
            if each["FunctionName"].startswith(self.name(""))
        )
        return {self.short(each["FunctionName"]): each for each in mine}

    @cached_property
    def settings(self) -> dict[str, str]:
        """Return what all functions are told: where tables, queues, secrets and models are."""
        if not self.functions:
            raise NotFoundError(
                f"{self.environment} has no functions: is it deployed, and is this its region?"
            )
        told: dict[str, str] = {}
        for each in self.functions.values():
            told |= each.get("Environment", {}).get("Variables", {})
        return told

    def highest(
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
