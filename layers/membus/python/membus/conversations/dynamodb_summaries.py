"""Summaries beside their messages: pk `T#<tenant>#C#<conversation>`.

Sk `SUMMARY#<level>#<first message>`, `SLOTS`.

`SLOTS` is the newest outline, `SLOTS#<version>` each one as it was. How far the newest one reaches also
stands on `META` (`summary_version`, `covered`, `borders`): a turn reads it there and cannot be stored behind
it.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from membus.aws.dynamodb.errors import translate_dynamodb_errors
from membus.aws.dynamodb.transactions import write_transaction
from membus.conversations import dynamodb_items as items
from membus.conversations.conversation import Message
from membus.conversations.summary import Summary, SummaryCheckpoint, SummaryIndex
from membus.core.pages import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoSummaries:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def get_index(self, tenant: str, conversation_id: str, version: int | None = None) -> SummaryIndex:
        sk = "SLOTS" if version is None else _version_sk(version)
        item = self._item(items.conversation_key(tenant, conversation_id, sk))
        return SummaryIndex.model_validate_json(str(item["body"])) if item else SummaryIndex()

    def list_summaries(
        self, tenant: str, conversation_id: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[Summary]:
        key = items.conversation_key(tenant, conversation_id, "")
        query = {"KeyConditionExpression": Key("pk").eq(key["pk"]) & Key("sk").begins_with("SUMMARY#")}
        start = {"ExclusiveStartKey": after} if after else {}
        answer = self._query(**query, **start, Limit=limit)
        found = tuple(Summary.model_validate_json(str(item["body"])) for item in answer["Items"])
        return Page(found, answer.get("LastEvaluatedKey"))

    def list_unsummarised(
        self, tenant: str, conversation_id: str, *, after: str | None, limit: int
    ) -> list[Message]:
        found = self._query(**items.messages_query(tenant, conversation_id, after=after), Limit=limit)
        return [items.message_of(item) for item in found["Items"]]

    def save_index(
        self,
        tenant: str,
        conversation_id: str,
        outline: SummaryIndex,
        *,
        read: SummaryIndex,
        summaries: Sequence[Summary],
    ) -> None:
        def put(sk: str, body: str) -> dict[str, Any]:
            item = {**items.conversation_key(tenant, conversation_id, sk), "body": body}
            return {"Put": {"TableName": self._table.name, "Item": item}}

        new = {"ConditionExpression": "attribute_not_exists(pk)"}
        puts = [put(_summary_sk(summary), summary.model_dump_json()) for summary in summaries]
        puts.append(put(_version_sk(outline.last_checkpoint.version), outline.model_dump_json()))
        writes: list[Any] = [{"Put": each["Put"] | new} for each in puts]
        writes.append(put("SLOTS", outline.model_dump_json()))
        writes.append(
            self._mark(items.conversation_key(tenant, conversation_id, "META"), outline, read.last_checkpoint)
        )
        write_transaction(self._table.meta.client, writes, doing="advancing a summary")

    def _mark(self, key: dict[str, str], outline: SummaryIndex, read: SummaryCheckpoint) -> dict[str, Any]:
        """Move the pointer from the place and the version that were read, which nobody may have moved meanwhile."""
        unmoved = (
            "summary_version = :read AND covered = :from" if read.version else "attribute_not_exists(covered)"
        )
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": key,
                "UpdateExpression": "SET summary_version = :version, covered = :until, borders = :borders",
                "ConditionExpression": f"{items.ALIVE} AND {unmoved}",
                "ExpressionAttributeValues": {
                    ":version": outline.last_checkpoint.version,
                    ":until": outline.last_checkpoint.until,
                    ":borders": json.dumps([border.model_dump() for border in outline.borders]),
                    **({":read": read.version, ":from": read.until} if read.version else {}),
                },
            }
        }

    def _item(self, key: dict[str, str]) -> dict[str, Any] | None:
        client = self._table.meta.client
        with translate_dynamodb_errors("reading a summary"):
            return client.get_item(TableName=self._table.name, Key=key, ConsistentRead=True).get("Item")

    def _query(self, **query: Any) -> Any:
        with translate_dynamodb_errors("reading a summary"):
            return self._table.meta.client.query(
                TableName=self._table.name, **{"ConsistentRead": True, **query}
            )


def summary_item(tenant: str, conversation_id: str, summary: Summary) -> dict[str, str]:
    return {
        **items.conversation_key(tenant, conversation_id, _summary_sk(summary)),
        "body": summary.model_dump_json(),
    }


def _version_sk(version: int) -> str:
    return f"SLOTS#{version:08d}"


def _summary_sk(summary: Summary) -> str:
    return f"SUMMARY#{summary.level}#{summary.first}"
