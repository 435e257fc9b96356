"""Entry point of the data API: no request that comes through here calls a language model."""

from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.api.app import app
from functions.api.internal import answer_internal, is_internal
from membus import wiring_rates
from membus.http import respond_to_request
from membus.observability import logger


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:
    if is_internal(event):
        return answer_internal(event)
    return respond_to_request(app, event, context, admit=wiring_rates.turnstile().check_rate)
