"""DynamoDB's errors in membus' words, translated once, with their cause kept."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from membus.errors import ConflictError, UnavailableError

_LOST_RACE = {"ConditionalCheckFailed", "ConditionalCheckFailedException", "TransactionConflict"}
_BUSY = {
    "InternalServerError", "LimitExceededException", "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ServiceUnavailable", "ThrottlingError",
    "ThrottlingException", "TransactionInProgressException",
}  # fmt: skip


@contextmanager
def dynamo_errors(doing: str) -> Iterator[None]:
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


def _codes(error: ClientError) -> set[str]:
    reasons = error.response.get("CancellationReasons", [])
    return {error.response["Error"]["Code"], *(reason.get("Code", "") for reason in reasons)}
