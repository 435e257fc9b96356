"""The logger and the metrics that every function but authorize shares.

Both see ids and sizes, never content.
"""

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

logger = Logger()
metrics = Metrics()


class EmfMonitor:
    """Writes each figure at once as a metric by model: a request that dies later has been counted.

    A tenant is never a dimension: there are thousands, and each would be a metric that is paid for.
    """

    def count_model_metrics(self, model: str, **figures: float) -> None:
        spoken = EphemeralMetrics()
        spoken.add_dimension(name="model", value=model)
        for name, value in figures.items():
            spoken.add_metric(name=name, unit=MetricUnit.Count, value=value)
        spoken.flush_metrics()

    def report_embedding_wait(self, environment: str, seconds: float) -> None:
        """Tell how long the oldest text has waited for its vector.

        Environments that share an account stay apart.
        """
        spoken = EphemeralMetrics()
        spoken.add_dimension(name="environment", value=environment)
        spoken.add_metric(name="OldestTextWaiting", unit=MetricUnit.Seconds, value=seconds)
        spoken.flush_metrics()

    def report_archive_problems(self, environment: str, problems: int) -> None:
        """Tell how many groups of episodes or objects a run of the archiver had to leave as they are."""
        spoken = EphemeralMetrics()
        spoken.add_dimension(name="environment", value=environment)
        spoken.add_metric(name="ArchiveProblems", unit=MetricUnit.Count, value=problems)
        spoken.flush_metrics()

    def log_warning(self, message: str, **fields: object) -> None:
        logger.warning(message, extra=fields)


class EmfRateLimitMonitor(EmfMonitor):
    """Counts at the door of one environment.

    Each line names the tenant, which is no dimension here either.
    """

    def __init__(self, environment: str) -> None:
        self._environment = environment

    def count_rate_limits(self, tenant: str, **figures: float) -> None:
        spoken = EphemeralMetrics()
        spoken.add_dimension(name="environment", value=self._environment)
        spoken.add_metadata(key="tenant_id", value=tenant)
        for name, value in figures.items():
            spoken.add_metric(name=name, unit=MetricUnit.Count, value=value)
        spoken.flush_metrics()
