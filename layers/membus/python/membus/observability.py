"""The logger and the metrics that every function but authorize shares; both see ids and sizes, never content."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
