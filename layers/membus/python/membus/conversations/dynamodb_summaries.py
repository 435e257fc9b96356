"""Summaries of a conversation in DynamoDB, beside its messages.

`SLOTS` is the newest index of summaries, `SLOTS#<version>` each one as it was. How far the newest one reaches
also stands on `META` (`summary_version`, `covered`, `borders`): a turn reads it there and cannot be stored
behind it.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from membus.aws.dynamodb.keys import SUMMARY_PREFIX, conversation_pk
from membus.aws.dynamodb.table import (
    ABSENT,
    DynamoTable,
    Item,
    Write,
    put_item,
    read_body,
    update_item,
    within,
)
from membus.conversations.conversation import Message
from membus.conversations.dynamodb_items import ALIVE, conversation_key, message_of, messages_condition
from membus.conversations.summary import Summary, SummaryCheckpoint, SummaryIndex
from membus.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

READING = "reading a summary"


class DynamoSummaries:
    def __init__(self, table: "Table") -> None:
        self._table = DynamoTable(table)

    def get_index(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        sk = "SLOTS" if version is None else _version_sk(version)
        item = self._table.get(conversation_key(tenant, conversation_id, sk), doing=READING)
        return read_body(item, SummaryIndex) if item else SummaryIndex()

    def list_summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        summaries = within(conversation_pk(tenant, conversation_id), SUMMARY_PREFIX)
        found = self._table.query_page(summaries, doing=READING, limit=limit, after=after)
        return found.map(lambda item: read_body(item, Summary))

    def list_unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        messages = messages_condition(tenant, conversation_id, after=after)
        return [
            message_of(item) for item in self._table.query_page(messages, doing=READING, limit=limit).items
        ]

    def save_index(
        self,
        tenant: str,
        conversation_id: str,
        index: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        slots = {**conversation_key(tenant, conversation_id, "SLOTS"), "body": index.model_dump_json()}
        version = {**slots, "sk": _version_sk(index.last_checkpoint.version)}
        new = [*(summary_item(tenant, conversation_id, summary) for summary in summaries), version]
        writes = [
            *(put_item(item, ABSENT) for item in new),
            put_item(slots),
            _mark_write(conversation_key(tenant, conversation_id), index, read.last_checkpoint),
        ]
        self._table.transact(writes, doing="advancing a summary")


def summary_item(tenant: str, conversation_id: str, summary: Summary) -> Item:
    sk = f"{SUMMARY_PREFIX}{summary.level}#{summary.first}"
    return {**conversation_key(tenant, conversation_id, sk), "body": summary.model_dump_json()}


def _mark_write(meta: dict[str, str], index: SummaryIndex, read: SummaryCheckpoint) -> Write:
    """Return the write that moves the checkpoint from the one that was read, if it still stands there."""
    unmoved = (
        "summary_version = :read AND covered = :from" if read.version else "attribute_not_exists(covered)"
    )
    last = index.last_checkpoint
    return update_item(
        meta,
        "SET summary_version = :version, covered = :until, borders = :borders",
        f"{ALIVE} AND {unmoved}",
        {
            ":version": last.version,
            ":until": last.until,
            ":borders": json.dumps([border.model_dump() for border in index.borders]),
            **({":read": read.version, ":from": read.until} if read.version else {}),
        },
    )


def _version_sk(version: int) -> str:
    return f"SLOTS#{version:08d}"
