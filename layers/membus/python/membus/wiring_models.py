"""The composition of language models.

Who answers for which tenant, with patience, a breaker and a fallback.
"""

from functools import cache, partial
from typing import TYPE_CHECKING

from membus.core.errors import UnavailableError
from membus.observability import EmfMonitor, logger
from membus.wiring import SECRET_SECONDS, _env
from membus.wiring_usage import account

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

    from membus.llm.clients import CircuitBreaker
    from membus.llm.ports import ChatModelClient, LanguageModel


def model(task: str, tenant: str) -> "LanguageModel":
    """Return the model that answers `task` (`extract`, `chat`) at the cost of `tenant`.

    The tenant is the one of the credential or of the event, never of a request's body. The import this needs
    takes most of a second.
    """
    from membus.llm.clients import FallbackClient, StructuredModel

    first = _speaker(_env(f"{task.upper()}_MODEL_ID"), tenant)
    if not (fallback := _env(f"{task.upper()}_FALLBACK_MODEL_ID", "")):
        return StructuredModel(first)
    return StructuredModel(
        FallbackClient(
            first, _speaker(fallback, tenant), partial(_changed_over, tenant, first.name, fallback)
        )
    )


def model_of(model_id: str, tenant: str) -> "LanguageModel":
    """Return one model alone, without a fallback: what is compared must be what answered."""
    from membus.llm.clients import StructuredModel

    return StructuredModel(_speaker(model_id, tenant))


def _speaker(model_id: str, tenant: str) -> "ChatModelClient":
    from membus.llm.claude import ClaudeClient
    from membus.llm.clients import CircuitBreakerClient, RetryingClient
    from membus.llm.metering import MeteredClient

    client = _bedrock() if _env("MODEL_PROVIDER") == "bedrock" else _anthropic(_model_key())
    return MeteredClient(
        CircuitBreakerClient(RetryingClient(ClaudeClient(client, model_id)), _breaker(model_id)),
        account(tenant),
    )


@cache
def _breaker(model_id: str) -> "CircuitBreaker":  # noqa: ARG001 - the cache looks at it
    """Return the breaker that all calls of this execution environment to one model share."""
    from membus.llm.clients import CircuitBreaker

    return CircuitBreaker()


def _changed_over(tenant: str, first: str, second: str, error: UnavailableError) -> None:
    EmfMonitor().count_model_metrics(first, ModelFallbacks=1)
    told = {
        "tenant_id": tenant,
        "model": first,
        "fallback": second,
        "code": error.code,
        "detail": error.detail,
    }
    logger.warning("the fallback model is asked", extra=told)


def _model_key() -> str:
    from aws_lambda_powertools.utilities.parameters import GetParameterError, get_secret

    try:
        return str(get_secret(_env("MODEL_SECRET_ID"), max_age=SECRET_SECONDS))
    except GetParameterError as error:
        raise UnavailableError("the model's key cannot be read", code="model_unavailable") from error


@cache
def _bedrock() -> "AnthropicBedrock":
    from anthropic import AnthropicBedrock

    return AnthropicBedrock()


@cache
def _anthropic(api_key: str) -> "Anthropic":
    from anthropic import Anthropic

    return Anthropic(api_key=api_key)
