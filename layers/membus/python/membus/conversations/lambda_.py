"""Turns in invocations of their own: Lambda queues them, tries twice more, and parks what still fails."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from membus.aws.clients import translate_aws_errors

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaTurnQueue:
    def __init__(self, client: "LambdaClient", function: str) -> None:
        self._client, self._function = client, function

    def enqueue_turn(self, turn: Mapping[str, Any]) -> None:
        with translate_aws_errors("the turn is not taken"):
            payload = json.dumps({"turn": turn}, ensure_ascii=False).encode()
            self._client.invoke(FunctionName=self._function, InvocationType="Event", Payload=payload)
