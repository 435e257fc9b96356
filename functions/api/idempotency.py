"""Requests that make something new do so once for each Idempotency-Key, however often they are sent."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.typing import LambdaContext

from membus.core.errors import ConflictError, InvalidError, UnavailableError

DAY_SECONDS = 86_400
JsonObject = dict[str, Any]


def run_idempotent(
    operation: str,
    request: JsonObject,
    action: Callable[[], JsonObject],
    *,
    store: BasePersistenceLayer,
    config: IdempotencyConfig,
    natural: bool = False,
) -> JsonObject:
    """Return the answer of `action`, or its stored answer for a repeat of `request`: tenant, key and body.

    An action with `natural` keys of its own runs again for a repeat, with the same outcome. Its record then
    holds nothing that a user said, so an erasure need not find it. The record's key starts with the
    operation, not with the function's name, so that a rename keeps it.

    Raises:
        InvalidError: `idempotency_mismatch`, the key was used for another body.
        ConflictError: `in_progress`, the same request is being served right now.
        UnavailableError: the records cannot be reached.
    """
    answers: list[JsonObject] = []

    @idempotent_function(
        data_keyword_argument="request",
        persistence_store=store,
        config=config,
        key_prefix=f"membus.{operation}",
    )
    def record(*, request: JsonObject) -> JsonObject:  # noqa: ARG001 (Powertools reads it by its name)
        answers.append(action())
        return {} if natural else answers[-1]

    try:
        stored: JsonObject = record(request=request)
    except IdempotencyValidationError as error:
        raise InvalidError("this key was used for another request", code="idempotency_mismatch") from error
    except IdempotencyAlreadyInProgressError as error:
        raise ConflictError("the same request is being served right now", code="in_progress") from error
    except IdempotencyPersistenceLayerError as error:
        raise UnavailableError("idempotency records cannot be reached") from error
    if not natural:
        return stored
    return answers[-1] if answers else action()


def idempotency_config(context: LambdaContext) -> IdempotencyConfig:
    """Return how records are keyed: by tenant and key, with a hash of the body.

    The context names the end of the invocation, so that one that crashed does not block its request for a
    day.
    """
    return IdempotencyConfig(
        event_key_jmespath="[tenant, key]",
        payload_validation_jmespath="body",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=DAY_SECONDS,
        hash_function="sha256",
        lambda_context=context,
    )
