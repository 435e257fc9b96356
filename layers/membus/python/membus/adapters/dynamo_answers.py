"""Answers in DynamoDB, on the event's identity item.

Attribute `answer:<prompt version>:<model>`, a JSON list.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from membus.adapters.dynamo_errors import translate_dynamodb_errors
from membus.adapters.episode_items import answer_attribute, identity_key
from membus.domain.answers import AnswersByEvent, EventAnswer
from membus.domain.event import FORGOTTEN
from membus.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

BATCH_GET_MAX = 100
"""BatchGetItem takes a hundred keys."""
EVENT_IS_REMEMBERED = "attribute_exists(pk) AND (attribute_not_exists(extracted) OR extracted <> :forgotten)"
"""Of an event that was erased meanwhile, or is not to be remembered, only the bare id is there."""
FORGOTTEN_VALUE = {":forgotten": FORGOTTEN}
ANSWERS_ADAPTER = TypeAdapter(tuple[EventAnswer, ...])


class DynamoAnswers:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def of(self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str) -> AnswersByEvent:
        name = answer_attribute(prompt_version, model)
        found: dict[str, Sequence[EventAnswer]] = {}
        for start in range(0, len(event_ids), BATCH_GET_MAX):
            for item in self._items(tenant, event_ids[start : start + BATCH_GET_MAX], name):
                if name in item:
                    found[str(item["pk"]).split("#EV#", 1)[1]] = ANSWERS_ADAPTER.validate_json(
                        str(item[name])
                    )
        return found

    def keep(self, tenant: str, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id, given in answers.items():
            value = ANSWERS_ADAPTER.dump_json(tuple(given)).decode()
            self._change(identity_key(tenant, event_id), "SET #answer = :answer", name, value)

    def drop(self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str) -> None:
        name = answer_attribute(prompt_version, model)
        for event_id in event_ids:
            self._change(identity_key(tenant, event_id), "REMOVE #answer", name)

    def _change(self, key: dict[str, str], change: str, name: str, value: str = "") -> None:
        """Change what is there; an event that was erased meanwhile has nothing proposed for it."""
        with suppress(ConflictError), translate_dynamodb_errors("keeping what a model proposed"):
            self._table.update_item(
                Key=key,
                UpdateExpression=change,
                ConditionExpression=EVENT_IS_REMEMBERED,
                ExpressionAttributeNames={"#answer": name},
                ExpressionAttributeValues={":answer": value, ":forgotten": FORGOTTEN}
                if value
                else FORGOTTEN_VALUE,
            )

    def _items(self, tenant: str, event_ids: Sequence[str], name: str) -> list[dict[str, Any]]:
        keys = [identity_key(tenant, event_id) for event_id in dict.fromkeys(event_ids)]
        asked: Any = {
            self._table.name: {
                "Keys": keys,
                "ProjectionExpression": "pk, #answer",
                "ExpressionAttributeNames": {"#answer": name},
            }
        }
        found: list[dict[str, Any]] = []
        while asked:
            with translate_dynamodb_errors("reading what a model proposed"):
                answer = self._table.meta.client.batch_get_item(RequestItems=asked)
            found += answer["Responses"].get(self._table.name, [])
            asked = answer.get("UnprocessedKeys")
        return found
