"""Unprocessed messages of a user in DynamoDB, six hours at most, beside the conversations they come from.

So a turn is one transaction in one table. Sort keys rise with time. `FRESHNESS` holds a version token that is
another one after each message said, and goes with each that was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr

from membus.aws.dynamodb.keys import user_pk
from membus.aws.dynamodb.table import DynamoTable, Write, delete_item, put_item, read_body, within
from membus.conversations.dynamodb_items import (
    UNPROCESSED_PREFIX,
    unprocessed_items,
    unprocessed_key,
    version_token_key,
)
from membus.conversations.unprocessed_messages import UNPROCESSED_MAX, UnprocessedMessage
from membus.core.clock import Clock
from membus.core.errors import ConflictError, UnavailableError
from membus.core.identity import Owner

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

DELETES_PER_TRANSACTION = 50


class DynamoUnprocessedMessages:
    def __init__(self, table: "Table", clock: Clock) -> None:
        self._table, self._clock = DynamoTable(table), clock

    def list_newest(self, owner: Owner) -> list[UnprocessedMessage]:
        found = self._table.query_page(
            within(user_pk(owner), UNPROCESSED_PREFIX),
            doing="reading what was just said",
            limit=UNPROCESSED_MAX,
            FilterExpression=Attr("expires_at").gt(int(self._clock().timestamp())),
            ScanIndexForward=False,
        )
        return [read_body(item, UnprocessedMessage) for item in found.items]

    def get_version_token(self, owner: Owner) -> str | None:
        found = self._table.get(version_token_key(owner), doing="reading whether anything was just said")
        return str(found["stamp"]) if found else None

    def add_messages(self, said: Mapping[Owner, Sequence[UnprocessedMessage]]) -> None:
        for owner, messages in said.items():
            if messages:
                self._write(map(put_item, unprocessed_items(owner, messages)))

    def mark_processed(self, owner: Owner, sort_keys: Iterable[str]) -> None:
        gone = list(dict.fromkeys(sort_keys))
        for first in range(0, len(gone), DELETES_PER_TRANSACTION):
            keys = [unprocessed_key(owner, each) for each in gone[first : first + DELETES_PER_TRANSACTION]]
            self._write(map(delete_item, [version_token_key(owner), *keys]))

    def _write(self, writes: Iterable[Write]) -> None:
        """Change messages and token at once, so that no cached copy outlives them under its token."""
        try:
            self._table.transact(writes, doing="noting what was just said")
        except ConflictError as busy:
            raise UnavailableError("too much is said and learned from at once") from busy
