"""Idempotency records in a dictionary, behind Powertools' own rules about them."""

import datetime as dt

from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord


class InMemoryIdempotency(BasePersistenceLayer):
    def __init__(self, *, down: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Powertools' own constructor has no types
        self.records: dict[str, DataRecord] = {}
        self._down = down

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.records:
            raise IdempotencyItemNotFoundError
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if self._down:
            raise ConnectionError("no line to the table")
        known = self.records.get(data_record.idempotency_key)
        if known and not known.is_expired and not _abandoned(known):
            self._validate_payload(data_payload=data_record, stored_data_record=known)
            raise IdempotencyItemAlreadyExistsError(old_data_record=known)
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        self.records.pop(data_record.idempotency_key, None)


def _abandoned(record: DataRecord) -> bool:
    """Whether the function that began the work must have died since."""
    ends_at = record.in_progress_expiry_timestamp
    return (
        record.status == "INPROGRESS"
        and ends_at is not None
        and ends_at < dt.datetime.now(dt.UTC).timestamp() * 1000
    )
