"""What a tenant sends beyond its share waits in a queue of its own.

It is read from there like any other event.
"""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from tests.e2e.client import Client, eventually, now, somebody

pytestmark = pytest.mark.stack


def test_event_in_the_overflow_queue_is_read_once(stack: Stack, aws: Callable[[str], Any]) -> None:
    user, sqs, demo = somebody(), aws("sqs"), Client(stack.api_url, stack.api_key)
    event = {
        "schema": 1,
        "event_id": uuid4().hex,
        "tenant_id": stack.tenant_id,
        "user_id": user,
        "type": "message.sent",
        "occurred_at": now().isoformat(),
        "payload": {"text": "I live in Rome."},
    }
    body = json.dumps({"time": now().isoformat(), "detail": event})

    url = sqs.get_queue_url(QueueName="membus-local-extract-surplus")["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=stack.tenant_id)

    assert eventually(lambda: demo.facts(user), bool) == {"home.city": "Rome"}
    assert len(demo.get(f"/v1/users/{user}/facts/home.city/history").json()["items"]) == 1
    demo.close()
