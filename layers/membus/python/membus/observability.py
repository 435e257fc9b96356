"""The logger and the metrics of every function but authorize: they get ids and sizes, never content."""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

logger = Logger()
metrics = Metrics()


class EmfMonitor:
    """Writes each figure at once, so that it counts even if the request dies later.

    A tenant is never a dimension: there are thousands, and each would be a metric that is paid for.
    """

    def count_model_metrics(self, model: str, **figures: float) -> None:
        _write_metrics({"model": model}, figures)

    def report_embedding_wait(self, environment: str, seconds: float) -> None:
        """Report how long the oldest text has waited for its vector."""
        _write_metrics({"environment": environment}, {"OldestTextWaiting": seconds}, unit=MetricUnit.Seconds)

    def report_archive_problems(self, environment: str, problems: int) -> None:
        """Report how many groups of episodes, or objects, a run of the archiver left as they are."""
        _write_metrics({"environment": environment}, {"ArchiveProblems": problems})

    def report_hot_tier_away(self, environment: str) -> None:
        """Count that a process stopped asking the conversation cache, for half a minute."""
        _write_metrics({"environment": environment}, {"HotTierAway": 1}, service="")

    def report_erasure_failure(self, environment: str) -> None:
        """Count an erasure after which something of the user was left."""
        _write_metrics({"environment": environment}, {"ErasuresFailed": 1}, service="")

    def log_warning(self, message: str, **fields: object) -> None:
        logger.warning(message, extra=fields)


class EmfRateLimitMonitor(EmfMonitor):
    """Counts requests of one environment; each line names the tenant beside the metric."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def count_rate_limits(self, tenant: str, **figures: float) -> None:
        _write_metrics({"environment": self._environment}, figures, service="", tenant_id=tenant)


def _write_metrics(
    dimensions: dict[str, str],
    figures: dict[str, float],
    *,
    unit: MetricUnit = MetricUnit.Count,
    service: str | None = None,
    **fields: str,
) -> None:
    """Write figures at once; `service` is by default the function's name, and "" leaves the dimension out."""
    written = EphemeralMetrics(service=service)
    for name, value in dimensions.items():
        written.add_dimension(name=name, value=value)
    for name, value in fields.items():
        written.add_metadata(key=name, value=value)
    for name, figure in figures.items():
        written.add_metric(name=name, unit=unit, value=figure)
    written.flush_metrics()
