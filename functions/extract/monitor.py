"""The monitor of extraction: metrics of the invocation, and the function's log."""

from aws_lambda_powertools.metrics import MetricUnit

from membus.observability import logger, metrics


class EmfExtractMonitor:
    def count_metric(self, name: str, value: int = 1) -> None:
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)

    def log_info(self, message: str, **fields: object) -> None:
        logger.info(message, extra=fields)

    def log_warning(self, message: str, **fields: object) -> None:
        logger.warning(message, extra=fields)
