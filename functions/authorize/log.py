"""One JSON line for each decision, by the standard library alone: every import costs time at a cold start."""

import json
import logging
import sys

_logger = logging.getLogger("authorize")
_logger.addHandler(logging.StreamHandler(sys.stdout))
_logger.setLevel(logging.INFO)
_logger.propagate = False  # Lambda's own handler would print the line again


def log_decision(message: str, **fields: str) -> None:
    """Log ids and reasons, never a credential."""
    _logger.info(json.dumps({"level": "INFO", "service": "authorize", "message": message} | fields))
