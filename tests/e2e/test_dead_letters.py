"""What cannot be learned from.

It waits where an operator finds it, costs its neighbours nothing, and can come back.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from localstack.home import Stack
from scripts.cli import main
from scripts.dlq.queues import DeadLetter, QueueReader
from tests.e2e.client import Client, eventually, now, said, somebody

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("dead letters")]


def waiting(sqs: Any, queue: str, needle: str) -> list[DeadLetter]:
    """Return the messages of a queue that mention `needle`, leaving all of them there."""
    with QueueReader(sqs, sqs.get_queue_url(QueueName=queue)["QueueUrl"]) as reading:
        return [letter for letter in reading if needle in letter.body]


def test_event_that_no_model_can_read_is_parked_and_redriven(
    acme: Client, aws: Callable[[str], Any], stack_file: Path
) -> None:
    """The local model cuts its first answer about the event off, and answers well after that."""
    sqs, user, neighbour, event_id = aws("sqs"), somebody(), somebody(), uuid4().hex
    acme.send(said(user, f"I live in Oslo. [[fault:max_tokens*1#{event_id}]]", event_id=event_id))

    (parked,) = eventually(lambda: waiting(sqs, "membus-local-quarantine", event_id), bool)
    assert (parked.reason or "").startswith("model_unusable.max_tokens")
    acme.send(said(user, "I love chess."), said(neighbour, "I live in Rome."))
    assert eventually(lambda: acme.facts(user), bool) == {"likes.chess": "chess"}
    assert eventually(lambda: acme.facts(neighbour), bool) == {"home.city": "Rome"}

    assert (
        main(["dlq", "redrive", "quarantine", "--event-id", event_id, "--yes", "--stack", str(stack_file)])
        == 0
    )

    facts = eventually(lambda: acme.facts(user), lambda facts: "home.city" in facts)
    assert facts == {"likes.chess": "chess", "home.city": "Oslo"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"schema": 2}, "schema", id="25-newer-schema"),
        pytest.param({"user_id": "no#body"}, "user_id", id="forged-key"),
        pytest.param({"type": "Shouting"}, "type", id="unknown-form-of-type"),
    ],
)
def test_poison_message_is_parked_with_its_reason(
    stack: Stack, aws: Callable[[str], Any], change: dict[str, Any], reason: str
) -> None:
    event_id = uuid4().hex
    detail = {
        "schema": 1,
        "event_id": event_id,
        "tenant_id": stack.tenant_id,
        "user_id": somebody(),
        "type": "message.sent",
        "occurred_at": now().isoformat(),
        "payload": {"text": "I live in Rome."},
    }
    entry = {"Source": "shop", "DetailType": "message.sent", "Detail": json.dumps(detail | change)}
    aws("events").put_events(Entries=[entry | {"EventBusName": stack.bus_name}])

    parked = eventually(lambda: waiting(aws("sqs"), "membus-local-quarantine", event_id), bool)

    assert len(parked) == 1
    assert reason in (parked[0].reason or "")
