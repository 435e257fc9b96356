"""The structured logger and the metrics that every function but authorize shares; neither sees content, only ids and sizes."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger()
metrics = Metrics()
