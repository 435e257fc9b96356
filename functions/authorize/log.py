"""One JSON line for each decision, on the standard library alone: imports are paid at every cold start."""

import json
import logging
import sys

_logger = logging.getLogger("authorize")
_logger.addHandler(logging.StreamHandler(sys.stdout))
_logger.setLevel(logging.INFO)
_logger.propagate = False  # Lambda's own handler would print the line again


def log_decision(message: str, **fields: str) -> None:
    """Write ids and reasons; a credential never comes here."""
    _logger.info(json.dumps({"level": "INFO", "service": "authorize", "message": message} | fields))
