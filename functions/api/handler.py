"""Entry point of the data API: no request that comes through here calls a language model."""

from typing import Any

from aws_lambda_powertools.logging.correlation_paths import API_GATEWAY_HTTP
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.api.app import app
from functions.api.internal import answer_internal, is_internal
from membus.container import Container
from membus.http import respond_to_request
from membus.observability import logger

container = Container.from_environment()


@logger.inject_lambda_context(correlation_id_path=API_GATEWAY_HTTP)
def handler(event: dict[str, Any], context: LambdaContext, container: Container = container) -> Any:
    if is_internal(event):
        return answer_internal(event, container)
    app.append_context(container=container)
    return respond_to_request(app, event, context, admit=container.tenants.rate_limiter.check_rate)
