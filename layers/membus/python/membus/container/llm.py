"""The parts of language models: the model of a task, with retries, a circuit breaker and a fallback."""

from collections import defaultdict
from functools import cached_property, partial
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client
from membus.container.parts import Parts
from membus.core.errors import UnavailableError
from membus.llm.clients import (
    CircuitBreaker,
    CircuitBreakerClient,
    FallbackClient,
    RetryingClient,
    StructuredModel,
)
from membus.llm.metering import MeteredClient, MeteredEmbeddingModel
from membus.llm.ports import ChatModelClient, EmbeddingModel, LanguageModel
from membus.llm.titan import TitanEmbeddings

if TYPE_CHECKING:
    from anthropic import Anthropic, AnthropicBedrock

EMBED_SECONDS = 10
KEY_SECONDS = 300
"""How long a rotated API key may stay in use in a warm function."""


class LlmParts(Parts):
    def get_model(self, task: str, tenant: str) -> LanguageModel:
        """Return the model that answers `task` (`extract`, `chat`, `summarize`) at the cost of `tenant`.

        The tenant is the one of the credential or of the event, never of a request's body. The import of
        `anthropic` takes most of a second.
        """
        task = task.upper()
        first = self._client(self._settings.get_text(f"{task}_MODEL_ID"), tenant)
        if not (second := self._settings.get_text(f"{task}_FALLBACK_MODEL_ID", "")):
            return StructuredModel(first)
        on_fallback = partial(_report_fallback, tenant, first.name, second)
        return StructuredModel(FallbackClient(first, self._client(second, tenant), on_fallback))

    def get_model_by_id(self, model_id: str, tenant: str) -> LanguageModel:
        """Return one model without its fallback, for comparisons: no other model answers in its place."""
        return StructuredModel(self._client(model_id, tenant))

    def get_embedder(self, model_id: str, tenant: str) -> EmbeddingModel:
        """Return the embedding model at the cost of `tenant`."""
        client = aws_client("bedrock-runtime", read_timeout_seconds=EMBED_SECONDS)
        return MeteredEmbeddingModel(
            TitanEmbeddings(client, model_id), self._container.tenants.get_account(tenant)
        )

    def get_api_key(self) -> str:
        """Return the key of Anthropic's API.

        Raises:
            UnavailableError: the secret cannot be read; `model_unavailable`.
        """
        from aws_lambda_powertools.utilities.parameters import GetParameterError, get_secret

        try:
            return str(get_secret(self._settings.get_text("MODEL_SECRET_ID"), max_age=KEY_SECONDS))
        except GetParameterError as error:
            raise UnavailableError("the model's key cannot be read", code="model_unavailable") from error

    def _client(self, model_id: str, tenant: str) -> ChatModelClient:
        from membus.llm.claude import ClaudeClient

        on_bedrock = self._settings.get_text("MODEL_PROVIDER") == "bedrock"
        sdk = self._bedrock if on_bedrock else self._anthropic(self.get_api_key())
        client = CircuitBreakerClient(RetryingClient(ClaudeClient(sdk, model_id)), self._breakers[model_id])
        return MeteredClient(client, self._container.tenants.get_account(tenant))

    @cached_property
    def _breakers(self) -> defaultdict[str, CircuitBreaker]:
        """The breaker of each model, which all calls of this execution environment share."""
        return defaultdict(CircuitBreaker)

    @cached_property
    def _bedrock(self) -> "AnthropicBedrock":
        from anthropic import AnthropicBedrock

        return AnthropicBedrock()

    def _anthropic(self, api_key: str) -> "Anthropic":
        """Return the one client of a key; a rotated key gets a client of its own."""
        if api_key not in self._clients:
            from anthropic import Anthropic

            self._clients[api_key] = Anthropic(api_key=api_key)
        return self._clients[api_key]

    @cached_property
    def _clients(self) -> "dict[str, Anthropic]":
        return {}


def _report_fallback(tenant: str, first: str, second: str, error: UnavailableError) -> None:
    from membus.observability import EmfMonitor, logger

    EmfMonitor().count_model_metrics(first, ModelFallbacks=1)
    fields = {
        "tenant_id": tenant,
        "model": first,
        "fallback": second,
        "code": error.code,
        "detail": error.detail,
    }
    logger.warning("the fallback model is asked", extra=fields)
