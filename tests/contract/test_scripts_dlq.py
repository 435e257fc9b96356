"""scripts dlq: dead letters, their reasons and both ways back, over moto with SQS' move tasks before it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from membus.aws import clients
from tests.strict import strict_aws
from tests.strict.move_tasks import MoveTasks, move_tasks
from tests.support.targets import a_target, run_on

ENDS = ("extract-dlq", "extract-rule-dlq", "bus-dlq", "quarantine", "failures")
Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Make the queues as Terraform does."""
    with strict_aws():
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        clients.forget_clients()
        client = boto3.client("sqs")
        for name in ENDS:
            client.create_queue(QueueName=f"membus-test-{name}")
        arn = client.get_queue_attributes(QueueUrl=url(client, "extract-dlq"), AttributeNames=["QueueArn"])
        policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 12}
        client.create_queue(QueueName="membus-test-extract", Attributes={"RedrivePolicy": json.dumps(policy)})
        yield client
    clients.forget_clients()


@pytest.fixture
def tasks() -> Iterator[MoveTasks]:
    """Let the process's client start tasks: the command finds it in the cache of clients."""
    with move_tasks(clients.aws_client("sqs", read_timeout_seconds=30)) as made:
        yield made


def dlq(*words: str) -> int:
    return run_on(a_target(environment="test"))("dlq", *words)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*words: str, code: int = 0) -> Any:
        assert dlq(*words, "--json") == code, capsys.readouterr().err
        out = capsys.readouterr().out
        return json.loads(out) if out else None

    return command


def url(sqs: Any, name: str) -> str:
    found: str = sqs.get_queue_url(QueueName=f"membus-test-{name}")["QueueUrl"]
    return found


def event(event_id: str, *, tenant: str = "acme", type_: str = "message.sent") -> str:
    detail = {
        "event_id": event_id,
        "tenant_id": tenant,
        "user_id": "ada",
        "type": type_,
        "payload": {"text": "secret"},
    }
    return json.dumps(
        {"source": "shop", "detail-type": type_, "time": "2026-11-20T08:00:00Z", "detail": detail}
    )


def put(sqs: Any, queue: str, *bodies: str, **attributes: str) -> None:
    told = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    for body in bodies:
        sqs.send_message(QueueUrl=url(sqs, queue), MessageBody=body, MessageAttributes=told)


def held(sqs: Any, queue: str) -> list[str]:
    """Return the event ids in a queue, taking them out."""
    found = sqs.receive_message(QueueUrl=url(sqs, queue), MaxNumberOfMessages=10).get("Messages", [])
    return sorted(json.loads(message["Body"])["detail"]["event_id"] for message in found)


def test_every_dead_letter_queue_is_listed_with_its_depth_and_destination(sqs: Any, run: Run) -> None:
    put(sqs, "quarantine", event("e1"), event("e2"))

    rows = {row["queue"]: row for row in run("list")}

    assert set(rows) == set(ENDS)
    assert (rows["quarantine"]["waiting"], rows["quarantine"]["goes_to"]) == ("2", "extract")
    assert {name: row["how"] for name, row in rows.items() if name.startswith("extract")} == {
        "extract-dlq": "by SQS itself",
        "extract-rule-dlq": "message by message",
    }
    assert (rows["bus-dlq"]["goes_to"], rows["failures"]["goes_to"]) == ("bus", None)


def test_message_is_shown_with_its_reason_without_its_text_and_stays(sqs: Any, run: Run) -> None:
    put(sqs, "extract-rule-dlq", event("e1"), ERROR_CODE="NO_PERMISSIONS", ERROR_MESSAGE="the policy")
    put(sqs, "extract-rule-dlq", "no JSON at all")

    rows = sorted(run("show", "extract-rule-dlq"), key=lambda row: row["event_id"] or "")

    assert [(row["event_id"], row["reason"]) for row in rows] == [
        (None, None),
        ("e1", "NO_PERMISSIONS the policy"),
    ]
    assert "secret" not in json.dumps(rows)
    assert "secret" in json.dumps(run("show", "extract-rule-dlq", "--with-body"))
    assert run("show", "extract-rule-dlq", "--reason", "NO_RES") == []


def test_messages_that_a_queue_gave_up_on_are_moved_by_sqs(sqs: Any, run: Run, tasks: MoveTasks) -> None:
    put(sqs, "extract-dlq", event("e1"), event("e2"))

    (row,) = run("redrive", "extract-dlq", "--rate", "20", "--yes")

    assert row == {"queue": "extract-dlq", "to": "extract", "moved": "2", "left": "0", "stopped": None}
    assert [task["MaxNumberOfMessagesPerSecond"] for task in tasks.asked] == [20]
    assert held(sqs, "extract") == ["e1", "e2"]


def test_messages_that_a_rule_gave_up_on_are_sent_again_one_by_one(
    sqs: Any, run: Run, tasks: MoveTasks
) -> None:
    put(sqs, "extract-rule-dlq", event("e1"))

    run("redrive", "extract-rule-dlq", "--mode", "task", "--yes", code=1)
    (row,) = run("redrive", "extract-rule-dlq", "--yes")

    assert (row["moved"], tasks.asked) == ("1", [])
    assert held(sqs, "extract") == ["e1"]
    assert held(sqs, "extract-rule-dlq") == []


@pytest.mark.parametrize(
    ("filters", "moved"),
    [
        (["--tenant", "zeta"], ["e2"]),
        (["--type", "page.viewed"], ["e3"]),
        (["--event-id", "e1", "--event-id", "e3"], ["e1", "e3"]),
        (["--reason", "model_unusable"], ["e1", "e2", "e3"]),
        (["--until", "2020-01-01"], []),
    ],
)
def test_only_matching_messages_are_sent_and_the_others_stay_visible(
    sqs: Any, run: Run, filters: list[str], moved: list[str]
) -> None:
    put(sqs, "quarantine", event("e1"), event("e2", tenant="zeta"), reason="model_unusable.refused: no")
    put(sqs, "quarantine", event("e3", type_="page.viewed"), reason="model_unusable.too_long: long")

    rehearsed = run("redrive", "quarantine", *filters, "--dry-run")
    assert sorted(row["event_id"] for row in rehearsed) == moved
    assert held(sqs, "extract") == []

    run("redrive", "quarantine", *filters, "--yes")

    assert held(sqs, "extract") == moved
    assert held(sqs, "quarantine") == sorted({"e1", "e2", "e3"} - set(moved))


def test_limit_leaves_the_other_messages_for_the_next_run(sqs: Any, run: Run) -> None:
    put(sqs, "quarantine", *(event(f"e{number}") for number in range(3)))

    assert [run("redrive", "quarantine", "--limit", "2", "--yes")[0]["moved"] for _ in range(2)] == ["2", "1"]
    assert held(sqs, "extract") == ["e0", "e1", "e2"]


def test_event_that_the_bus_gave_up_on_is_published_again_unchanged(sqs: Any, run: Run) -> None:
    events: Any = boto3.client("events")
    events.create_event_bus(Name="membus-test-bus")
    put(sqs, "bus-dlq", event("e1"))
    put(sqs, "bus-dlq", json.dumps({"detail": {"event_id": "half"}}))
    queue = sqs.create_queue(QueueName="membus-test-seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="all", EventBusName="membus-test-bus", EventPattern=json.dumps({"source": ["shop"]}))
    events.put_targets(Rule="all", EventBusName="membus-test-bus", Targets=[{"Id": "queue", "Arn": arn}])

    (row,) = run("redrive", "bus-dlq", "--yes", code=3)

    assert (row["moved"], row["left"]) == ("1", "1")
    assert held(sqs, "seen") == ["e1"]
    assert held(sqs, "bus-dlq") == ["half"]


def test_unreachable_destination_stops_the_run_and_loses_no_message(sqs: Any, run: Run) -> None:
    put(sqs, "quarantine", event("e1"), event("e2"))

    run("redrive", "quarantine", "--to", "nowhere", "--yes", code=1)

    assert held(sqs, "quarantine") == ["e1", "e2"]


def test_messages_that_no_queue_takes_are_refused_with_their_runbook(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("redrive", "failures", "--yes", code=1)
    run("show", "nothing", code=1)

    assert dlq("redrive", "failures") == 1
    assert "docs/runbooks/failures-not-empty.md" in capsys.readouterr().err


def test_nothing_is_sent_without_confirmation(sqs: Any, run: Run) -> None:
    put(sqs, "quarantine", event("e1"))

    run("redrive", "quarantine", code=1)

    assert held(sqs, "quarantine") == ["e1"]


def test_empty_queue_and_filter_without_match_are_reported_apart(
    sqs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    put(sqs, "quarantine", event("e1"))

    dlq("show", "extract-dlq")
    assert capsys.readouterr().err == "Dead-letter queue extract-dlq is empty.\n"
    dlq("show", "quarantine", "--tenant", "zeta")
    assert capsys.readouterr().err == "No message of dead-letter queue quarantine matches the filter.\n"
