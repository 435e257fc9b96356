"""scripts doctor: a sound environment has no findings; a broken part is found, alone, with its page."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from scripts.command import ExitCode
from scripts.doctor.commands import NAMES, print_findings
from scripts.doctor.findings import DeployedEnvironment, Finding, FindingStatus, ok, run_check, skipped, warn
from scripts.output import Output
from tests.support.deployed_environment import account_settings, deployed_environment

PAGES = Path(__file__).parents[2] / "docs" / "runbooks"
LOOKED_AT = tuple(name for name in NAMES if name not in {"schema", "proxy", "model", "errors"})
Break = Callable[[Callable[[str], Any]], Any]


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedEnvironment]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with deployed_environment() as made:
        yield made


def look(deployment: DeployedEnvironment, *names: str) -> list[Finding]:
    return [finding for name in names or LOOKED_AT for finding in run_check(name, NAMES[name], deployment)]


def wrong(found: list[Finding]) -> list[tuple[str, str]]:
    return [
        (each.about, each.status) for each in found if each.status in {FindingStatus.WARN, FindingStatus.FAIL}
    ]


def url(client: Callable[[str], Any], name: str) -> str:
    found: str = client("sqs").get_queue_url(QueueName=f"membus-test-{name}")["QueueUrl"]
    return found


def alarm(client: Callable[[str], Any], name: str, *, state: str = "OK", **options: Any) -> None:
    client("cloudwatch").put_metric_alarm(
        AlarmName=f"membus-test-{name}",
        MetricName="Errors",
        Namespace="AWS/Lambda",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=["arn:aws:sns:us-east-1:123456789012:ops"],
        **options,
    )
    client("cloudwatch").set_alarm_state(
        AlarmName=f"membus-test-{name}", StateValue=state, StateReason="test"
    )


def test_sound_environment_has_no_finding_but_missing_alarms(deployment: DeployedEnvironment) -> None:
    found = look(deployment)

    assert wrong(found) == [("alarms", "warn")]
    assert {
        "table memory",
        "queue extract",
        "rule membus-test-extract",
        "bucket, versions",
        "secret model",
    } <= {each.about for each in found if each.status is FindingStatus.OK}


def off(client: Callable[[str], Any]) -> None:
    ttl = {"Enabled": False, "AttributeName": "expires_at"}
    client("dynamodb").update_time_to_live(TableName="membus-test-memory", TimeToLiveSpecification=ttl)


def unprotected(client: Callable[[str], Any]) -> None:
    client("dynamodb").update_table(TableName="membus-test-memory", DeletionProtectionEnabled=False)


def thrown_away(client: Callable[[str], Any]) -> None:
    unprotected(client)
    recovery = {"PointInTimeRecoveryEnabled": False}
    client("dynamodb").update_continuous_backups(
        TableName="membus-test-memory", PointInTimeRecoverySpecification=recovery
    )


def hurried(client: Callable[[str], Any]) -> None:
    client("sqs").set_queue_attributes(
        QueueUrl=url(client, "extract"), Attributes={"VisibilityTimeout": "60"}
    )


def hopeless(client: Callable[[str], Any]) -> None:
    client("sqs").set_queue_attributes(QueueUrl=url(client, "extract"), Attributes={"RedrivePolicy": ""})


def full(client: Callable[[str], Any]) -> None:
    client("sqs").send_message(QueueUrl=url(client, "quarantine"), MessageBody="{}")


def open_bucket(client: Callable[[str], Any]) -> None:
    client("s3").delete_public_access_block(Bucket="membus-test-archive")


def unversioned(client: Callable[[str], Any]) -> None:
    client("s3").put_bucket_versioning(
        Bucket="membus-test-archive", VersioningConfiguration={"Status": "Suspended"}
    )


def unruled(client: Callable[[str], Any]) -> None:
    client("s3").delete_bucket_lifecycle(Bucket="membus-test-archive")


def valueless(client: Callable[[str], Any]) -> None:
    secrets = client("secretsmanager")
    secrets.delete_secret(SecretId="membus-test-model", ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name="membus-test-model")


def silenced(client: Callable[[str], Any]) -> None:
    client("events").disable_rule(Name="membus-test-extract", EventBusName="membus-test-bus")


def endless(client: Callable[[str], Any]) -> None:
    (found,) = client("events").list_archives()["Archives"]
    client("events").delete_archive(ArchiveName=found["ArchiveName"])
    client("events").create_archive(
        ArchiveName="for-ever", EventSourceArn=found["EventSourceArn"], RetentionDays=0
    )


def published(client: Callable[[str], Any]) -> None:
    client("lambda").publish_version(FunctionName="membus-test-chat")


def astray(client: Callable[[str], Any]) -> None:
    client("lambda").update_function_configuration(
        FunctionName="membus-test-chat", Environment={"Variables": {"ENVIRONMENT": "prod"}}
    )


def gone(client: Callable[[str], Any]) -> None:
    client("lambda").delete_function(FunctionName="membus-test-sweep")


def older(client: Callable[[str], Any]) -> None:
    client("lambda").update_function_configuration(FunctionName="membus-test-chat", Runtime="python3.11")


def unfed(client: Callable[[str], Any]) -> None:
    for found in client("lambda").list_event_source_mappings(FunctionName="membus-test-extract")[
        "EventSourceMappings"
    ]:
        if found["EventSourceArn"].endswith(":membus-test-extract"):
            client("lambda").delete_event_source_mapping(UUID=found["UUID"])


def hasty(client: Callable[[str], Any]) -> None:
    told = client("lambda").get_function_configuration(FunctionName="membus-test-chat")["Environment"][
        "Variables"
    ]
    other = told | {"TENANT_RATES": '{"requests_per_second": 11, "events_per_second": 100}'}
    client("lambda").update_function_configuration(
        FunctionName="membus-test-chat", Environment={"Variables": other}
    )


def unlogged(client: Callable[[str], Any]) -> None:
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}
    client("apigateway").update_account(patchOperations=[role])


def new(client: Callable[[str], Any]) -> None:
    events = client("lambda").meta.events
    events.register_first("before-call.lambda.GetAccountSettings", account_settings(10))


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (off, ("table memory", "fail")),
        (unlogged, ("account, logs of APIs", "fail")),
        (new, ("account, concurrency", "warn")),
        (hasty, ("rates", "fail")),
        (unprotected, ("table memory, kept", "fail")),
        (thrown_away, ("table memory, kept", "warn")),
        (hurried, ("queue extract", "fail")),
        (hopeless, ("queue extract", "fail")),
        (unfed, ("queue extract", "fail")),
        (full, ("queue quarantine", "warn")),
        (open_bucket, ("bucket, public access", "fail")),
        (unversioned, ("bucket, versions", "fail")),
        (unruled, ("bucket, lifecycle", "fail")),
        (valueless, ("secret model", "fail")),
        (silenced, ("rule membus-test-extract", "fail")),
        (endless, ("bus, archive", "fail")),
        (published, ("function chat, versions", "warn")),
        (astray, ("function chat", "fail")),
        (older, ("functions, alike", "fail")),
        (gone, ("functions", "fail")),
        (lambda client: alarm(client, "extract-errors", state="ALARM"), ("alarm extract-errors", "fail")),
    ],
)
def test_broken_part_is_found_and_nothing_else(
    deployment: DeployedEnvironment, breaks: Break, found: tuple[str, str]
) -> None:
    alarm(deployment.client, "memory-slow")

    breaks(deployment.client)

    assert wrong(look(deployment)) == [found]


def test_every_runbook_of_a_finding_exists(deployment: DeployedEnvironment) -> None:
    for breaks in (hurried, full, silenced, endless, astray):
        breaks(deployment.client)
    alarm(deployment.client, "vectors-at-its-ceiling", state="ALARM")

    pages = {each.page for each in look(deployment) if each.page}

    assert {"vectors-at-its-ceiling", "quarantine-not-empty", "route-undelivered"} <= pages
    assert [page for page in pages if not (PAGES / f"{page}.md").exists()] == []


def refused(code: str) -> Callable[[DeployedEnvironment], Iterator[Finding]]:
    def check(_: DeployedEnvironment) -> Iterator[Finding]:
        yield ok("first", "seen")
        raise ClientError({"Error": {"Code": code}}, "DescribeThing")

    return check


@pytest.mark.parametrize(
    ("code", "is_local", "status"),
    [
        ("AccessDeniedException", False, "fail"),
        ("InvalidAction", True, "skipped"),
        ("InvalidAction", False, "fail"),
        ("ResourceNotFoundException", True, "fail"),
    ],
)
def test_call_that_is_refused_is_never_ok(code: str, *, is_local: bool, status: str) -> None:
    deployment = DeployedEnvironment("test", is_local=is_local, client=lambda service: service)

    found = run_check("thing", refused(code), deployment)

    assert [each.status for each in found] == [FindingStatus.OK, status]


def test_unreachable_service_fails_and_stops_no_other_check(deployment: DeployedEnvironment) -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://s3")

    deployment.client("s3").meta.events.register_first("before-call.s3", cut)

    assert ("bucket", "fail") in wrong(look(deployment))
    assert ("secret model", "ok") in [(each.about, each.status) for each in look(deployment)]


def test_sessions_are_skipped_without_a_proxy(deployment: DeployedEnvironment) -> None:
    assert [each.status for each in look(deployment, "proxy")] == [FindingStatus.SKIPPED]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([ok("a", "well"), skipped("b", "emulator")], ExitCode.DONE),
        ([ok("a", "well"), warn("b", "so so", "look")], ExitCode.PARTLY),
        ([warn("b", "so so", "look"), Finding("c", FindingStatus.FAIL, "broken")], ExitCode.REFUSED),
    ],
)
def test_exit_code_follows_the_worst_finding_which_comes_first(
    found: list[Finding], code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    assert print_findings(found, Output(as_json=True), everything=True) is code

    shown = [row["status"] for row in json.loads(capsys.readouterr().out)]
    assert shown == sorted(shown, key=list(FindingStatus).index)
