"""An environment `test` in the emulator of this process, as far as `doctor` looks at it, with nothing wrong."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from scripts.doctor.findings import DeployedEnvironment
from tests.strict import strict_aws
from tests.support.tables import TABLES

REGION = "us-east-1"
ACCOUNT = "123456789012"
STREAMED = ("memory", "conversations")
Clients = Callable[[str], Any]


@contextmanager
def deployed_environment() -> Iterator[DeployedEnvironment]:
    """Make everything; a test then breaks one thing."""
    with strict_aws():
        clients: dict[str, Any] = {}

        def client(service: str) -> Any:
            make: Any = boto3.client
            return clients.setdefault(service, make(service, region_name=REGION))

        _account(client)
        _stores(client)
        arns = _queues(client)
        _functions(client, arns, _tables(client))
        _bus(client, arns)
        yield DeployedEnvironment("test", is_local=False, client=client)


def _account(client: Clients) -> None:
    """Give the account its role for logs, and quotas, which the emulator of this process does not know."""
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": f"arn:aws:iam::{ACCOUNT}:role/logs"}
    client("apigateway").update_account(patchOperations=[role])
    client("lambda").meta.events.register("before-call.lambda.GetAccountSettings", account_settings(1000))


def account_settings(executions: int) -> Callable[..., Any]:
    """Return a handler of botocore that answers GetAccountSettings with so many executions at once."""
    answer = AWSResponse("", 200, HTTPHeaders(), None), {"AccountLimit": {"ConcurrentExecutions": executions}}
    return lambda **_: answer


def _tables(client: Clients) -> dict[str, str]:
    streams: dict[str, str] = {}
    for name, layout in TABLES.items():
        keys = [
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(layout["keys"], ("HASH", "RANGE"), strict=False)
        ]
        view: Any = (
            {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
            if name in STREAMED
            else {"StreamEnabled": False}
        )
        made = client("dynamodb").create_table(
            TableName=f"membus-test-{name}",
            KeySchema=keys,
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification=view,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in layout["keys"]],
            DeletionProtectionEnabled=True,
            SSESpecification={"Enabled": True, "SSEType": "KMS"},
        )["TableDescription"]
        table = {"TableName": f"membus-test-{name}"}
        ttl = {"Enabled": True, "AttributeName": layout["ttl"]}
        client("dynamodb").update_time_to_live(**table, TimeToLiveSpecification=ttl)
        recovery = {"PointInTimeRecoveryEnabled": True}
        client("dynamodb").update_continuous_backups(**table, PointInTimeRecoverySpecification=recovery)
        streams |= {name: made["LatestStreamArn"]} if name in STREAMED else {}
    return streams


def _stores(client: Clients) -> None:
    s3, bucket = client("s3"), {"Bucket": "membus-test-archive"}
    s3.create_bucket(**bucket)
    switches = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=dict.fromkeys(switches, True))
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key"}}
    s3.put_bucket_encryption(**bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "tiers",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    s3.put_bucket_lifecycle_configuration(**bucket, LifecycleConfiguration={"Rules": [rule]})
    client("secretsmanager").create_secret(Name="membus-test-model", SecretString="secret")


def _queues(client: Clients) -> dict[str, str]:
    sqs, arns = client("sqs"), dict[str, str]()
    ends = (
        "extract-dlq",
        "extract-rule-dlq",
        "bus-dlq",
        "quarantine",
        "failures",
        "extract",
        "extract-surplus",
    )
    for name in ends:
        redrive = {"deadLetterTargetArn": arns.get("extract-dlq"), "maxReceiveCount": 12}
        route = (
            {"VisibilityTimeout": "361", "RedrivePolicy": json.dumps(redrive)}
            if name.startswith("extract") and not name.endswith("dlq")
            else {}
        )
        url = sqs.create_queue(QueueName=f"membus-test-{name}", Attributes=route)["QueueUrl"]
        arns[name] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
    return arns


def _functions(client: Clients, queues: dict[str, str], streams: dict[str, str]) -> None:
    told = {f"{name.upper()}_TABLE": f"membus-test-{name}" for name in TABLES} | {
        "ENVIRONMENT": "test",
        "ARCHIVE_BUCKET": "membus-test-archive",
        "BUS_NAME": "membus-test-bus",
        "MODEL_SECRET_ID": "membus-test-model",
        "TENANT_RATES": '{"requests_per_second": 10, "events_per_second": 100}',
    }
    role = client("iam").create_role(RoleName="membus-test", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", "")
    for name in DeployedEnvironment("test", is_local=False, client=client).shipped_functions:
        client("lambda").create_function(
            FunctionName=f"membus-test-{name}",
            Role=role,
            Runtime="python3.13",
            Handler="handler.handler",
            Timeout=60,
            Architectures=["arm64"],
            Code={"ZipFile": packed.getvalue()},
            Environment={"Variables": told},
        )
    fed = [
        ("extract", queues["extract"]),
        ("extract", queues["extract-surplus"]),
        *(("index", arn) for arn in streams.values()),
    ]
    for name, arn in fed:
        start = {} if name == "extract" else {"StartingPosition": "TRIM_HORIZON"}
        client("lambda").create_event_source_mapping(
            EventSourceArn=arn,
            FunctionName=f"membus-test-{name}",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **start,
        )


def _bus(client: Clients, queues: dict[str, str]) -> None:
    events, bus = client("events"), {"EventBusName": "membus-test-bus"}
    arn = events.create_event_bus(Name="membus-test-bus", DeadLetterConfig={"Arn": queues["bus-dlq"]})[
        "EventBusArn"
    ]
    events.create_archive(ArchiveName="membus-test-events", EventSourceArn=arn, RetentionDays=7)
    events.put_rule(Name="membus-test-extract", **bus, EventPattern=json.dumps({"source": ["shop"]}))
    target = {
        "Id": "queue",
        "Arn": queues["extract"],
        "DeadLetterConfig": {"Arn": queues["extract-rule-dlq"]},
    }
    events.put_targets(Rule="membus-test-extract", **bus, Targets=[target])
