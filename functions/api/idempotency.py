"""A request that makes something new does so once per Idempotency-Key, whatever the network repeats."""

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

IdempotentRequest = dict[str, Any]


def idempotent(
    operation: str,
    act: Callable[[IdempotentRequest], IdempotentRequest],
    *,
    store: BasePersistenceLayer,
    config: IdempotencyConfig,
    natural: bool = False,
) -> Callable[[IdempotentRequest], IdempotentRequest]:
    """Return `act` behind an idempotency record; its request is `{"tenant", "key", "body"}`.

    What has natural keys of its own (`natural`) is done again for a repeat, with the same outcome: its record
    then holds nothing that anybody said, and an erasure need not look for it. The record's key starts with
    the operation rather than the function's name, so a rename keeps it.

    Raises:
        InvalidError: `idempotency_mismatch`, the key was used for another body.
        ConflictError: `in_progress`, the same request is being served right now.
    """

    @idempotent_function(
        data_keyword_argument="request",
        persistence_store=store,
        config=config,
        key_prefix=f"membus.{operation}",
    )
    def guarded(*, request: IdempotentRequest) -> IdempotentRequest:
        made.append(act(request))
        return {} if natural else made[-1]

    made: list[IdempotentRequest] = []

    def run(request: IdempotentRequest) -> IdempotentRequest:
        try:
            answer: IdempotentRequest = guarded(request=request)
        except IdempotencyValidationError as error:
            raise InvalidError(
                "this key was used for another request", code="idempotency_mismatch"
            ) from error
        except IdempotencyAlreadyInProgressError as error:
            raise ConflictError("the same request is being served right now", code="in_progress") from error
        except IdempotencyPersistenceLayerError as error:
            raise UnavailableError("idempotency records cannot be reached") from error
        if not natural:
            return answer
        return made.pop() if made else act(request)

    return run


def idempotency_config(context: LambdaContext) -> IdempotencyConfig:
    """Keys include the tenant; a body that differs is found by its hash.

    A missing key is an error, not a shrug.

    The context says when this invocation must have ended: one that died does not hold its request for a day.
    """
    return IdempotencyConfig(
        event_key_jmespath="[tenant, key]",
        payload_validation_jmespath="body",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=DAY_SECONDS,
        hash_function="sha256",
        lambda_context=context,
    )
