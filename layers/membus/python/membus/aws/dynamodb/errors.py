"""Errors of DynamoDB, translated once into those of membus; the cause is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError

from membus.core.errors import ConflictError, UnavailableError

_LOST_RACE = {"ConditionalCheckFailed", "ConditionalCheckFailedException", "TransactionConflict"}
_BUSY = {
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingError",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
}


@contextmanager
def translate_dynamodb_errors(doing: str) -> Iterator[None]:
    """Raise ConflictError for a condition that failed and UnavailableError for a busy or unreachable table.

    Anything else (a refused permission, a malformed request) is a defect and passes through as it is.
    """
    try:
        yield
    except ClientError as error:
        codes = _codes(error)
        if codes & _LOST_RACE:
            raise ConflictError(f"lost a race while {doing}") from error
        if codes & _BUSY:
            raise UnavailableError(f"the table is busy while {doing}") from error
        raise
    except BotoCoreError as error:
        raise UnavailableError(f"the table cannot be reached while {doing}") from error


def conflicting_item(lost: ConflictError) -> dict[str, Any] | None:
    """Return the item that the condition of a single write failed on; None where there was none.

    boto3 leaves the item of a refusal as it came over the wire.
    """
    cause: Any = lost.__cause__
    item = cause.response.get("Item")
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()} if item else None


def is_transaction_conflict(lost: ConflictError) -> bool:
    """Whether nothing but another transaction on the same item stood in the way: no condition has failed."""
    cause: Any = lost.__cause__
    reasons = {reason.get("Code") for reason in cause.response.get("CancellationReasons", [])}
    return reasons - {"None", None} == {"TransactionConflict"}


def _codes(error: ClientError) -> set[str]:
    reasons = error.response.get("CancellationReasons", [])
    return {error.response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}
