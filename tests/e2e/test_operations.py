"""The operators' commands on the deployed stack.

It is well, and what waits in a queue can be seen and sent back.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from scripts.cli import main
from tests.e2e.client import eventually, somebody

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("dead letters")]


@pytest.fixture
def operate(stack_file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def run(*words: str, codes: tuple[int, ...] = (0,)) -> Any:
        assert main([*words, "--stack", str(stack_file), "--json"]) in codes
        return json.loads(capsys.readouterr().out)

    return run


def test_doctor_finds_no_failure_and_says_what_it_cannot_check(operate: Callable[..., Any]) -> None:
    found = {row["about"]: row for row in operate("doctor", codes=(0, 3))}

    assert [row for row in found.values() if row["status"] == "fail"] == []
    assert found["postgres, row security"]["status"] == "ok"
    assert found["postgres, functions' role"]["status"] == "ok"
    assert found["table memory, stream"]["status"] == "ok"
    assert found["model claude-haiku-5-5"]["status"] == "ok"
    assert found["alarms"]["found"] == "skipped: the local stack has none"


def test_dead_letter_is_shown_without_its_text_and_redriven(
    operate: Callable[..., Any], aws: Callable[[str], Any]
) -> None:
    event_id, sqs = uuid4().hex, aws("sqs")
    detail = {
        "schema": 2,
        "event_id": event_id,
        "user_id": somebody(),
        "payload": {"text": "I live in Rome."},
    }
    body = json.dumps({"time": "2026-11-20T08:00:00Z", "detail": detail})
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName="membus-local-extract-dlq")["QueueUrl"], MessageBody=body
    )

    (shown,) = operate("dlq", "show", "extract-dlq", "--event-id", event_id)
    assert (shown["event_id"], "Rome" in json.dumps(shown)) == (event_id, False)

    operate("dlq", "redrive", "extract-dlq", "--yes")

    assert operate("dlq", "show", "extract-dlq", "--event-id", event_id) == []
    parked = eventually(lambda: operate("dlq", "show", "quarantine", "--event-id", event_id), bool)
    assert parked[0]["reason"].startswith("invalid_event")
