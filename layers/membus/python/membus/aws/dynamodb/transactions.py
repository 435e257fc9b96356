"""Transactions in DynamoDB: all of it or nothing, and again where two of them merely met on one item."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.core.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

RETRY_PAUSES_SECONDS = (0.02, 0.05, 0.1, 0.2)
"""Seconds before each further try; botocore itself never repeats a cancelled transaction."""


def write_transaction(client: "DynamoDBClient", writes: Sequence[Any], *, doing: str) -> None:
    """Write all or nothing.

    Raises:
        ConflictError: a condition failed, or others kept writing to the same items.
        UnavailableError: the table is busy or out of reach.
    """
    for pause in (*RETRY_PAUSES_SECONDS, None):
        try:
            with translate_dynamodb_errors(doing):
                client.transact_write_items(TransactItems=writes)
        except ConflictError as lost:
            if pause is None or not _is_transaction_conflict(lost):
                raise
            time.sleep(pause)
        else:
            return


def _is_transaction_conflict(lost: ConflictError) -> bool:
    """Whether nothing but another transaction on the same item stood in the way: no condition has failed."""
    cause: Any = lost.__cause__
    reasons = {reason.get("Code") for reason in cause.response.get("CancellationReasons", [])}
    return reasons - {"None", None} == {"TransactionConflict"}
