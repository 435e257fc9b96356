"""Traces of behaviour in DynamoDB: pk `T#<tenant>#U#<user>`, sk `SIGNAL#<rule>#<group>#<bucket>`, a set of marks."""

from datetime import timedelta
from typing import TYPE_CHECKING

from membus.adapters.dynamo_errors import dynamo_errors
from membus.domain.identity import Owner
from membus.domain.rules import Mark, Signal
from membus.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

LIFETIME = timedelta(days=7)
"""Longer than a message can wait in a queue or a replay takes; a mark that arrives later starts anew."""
MARKS_MAX = 100
"""A storm of errors proves its point early. Every mark rewrites the item, which costs a unit a kilobyte, and the
longest marks (1.4 KB) must stay below DynamoDB's 400 KB."""


class DynamoSignals:
    def __init__(self, table: "Table") -> None:
        self._table = table

    def add(self, owner: Owner, signal: Signal) -> set[Mark]:
        return {mark for bucket in signal.buckets for mark in self._add_to(owner, signal, bucket)}

    def _add_to(self, owner: Owner, signal: Signal, bucket: int) -> set[Mark]:
        expires_at = int((signal.mark.learned_at + LIFETIME).timestamp())
        try:
            with dynamo_errors("counting behaviour"):
                answer = self._table.update_item(
                    Key={
                        "pk": f"T#{owner.tenant}#U#{owner.user}",
                        "sk": f"SIGNAL#{signal.rule.name}#{signal.group}#{bucket}",
                    },
                    UpdateExpression="ADD marks :mark SET expires_at = :expires_at",
                    ConditionExpression="attribute_not_exists(marks) OR size(marks) < :most",
                    ExpressionAttributeValues={
                        ":mark": {str(signal.mark)}, ":expires_at": expires_at, ":most": MARKS_MAX,
                    },
                    ReturnValues="ALL_NEW",
                )  # fmt: skip
        except ConflictError:
            return set()
        marks = answer["Attributes"]["marks"]
        return {Mark.parse(str(mark)) for mark in marks} if isinstance(marks, set) else set()
