"""DynamoDB: the tables that functions are told of, with what keeps and what forgets their items."""

from collections.abc import Iterator
from typing import Any

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import APPLY_AGAIN, Finding, judge, ok, skipped


def tables(deployment: DeployedEnvironment) -> Iterator[Finding]:
    dynamodb = deployment.client("dynamodb")
    for name in sorted({value for key, value in deployment.settings.items() if key.endswith("_TABLE")}):
        about = f"table {deployment.short(name)}"
        table = dynamodb.describe_table(TableName=name)["Table"]
        yield judge(
            about,
            _wrong(dynamodb, name, table),
            well="active, expires items, indexes active",
            remedy=APPLY_AGAIN,
        )
        yield from _kept(deployment, dynamodb, name, table)


def _wrong(dynamodb: Any, name: str, table: Any) -> list[str]:
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    wrong = [] if table["TableStatus"] in {"ACTIVE", "UPDATING"} else [f"is {table['TableStatus']}"]
    if ttl["TimeToLiveStatus"] not in {"ENABLED", "ENABLING"}:
        wrong.append("expires nothing: TTL is off")
    indexes = table.get("GlobalSecondaryIndexes", [])
    resting = [each for each in indexes if each.get("IndexStatus", "ACTIVE") != "ACTIVE"]
    return wrong + [f"index {each['IndexName']} is {each['IndexStatus']}" for each in resting]


def _kept(deployment: DeployedEnvironment, dynamodb: Any, name: str, table: Any) -> Iterator[Finding]:
    about = f"table {deployment.short(name)}, kept"
    if deployment.is_local:
        yield skipped(about, "the local stack protects nothing on purpose")
        return
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription", {})
    wrong = [] if table.get("DeletionProtectionEnabled") else ["can be deleted"]
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        wrong.append("cannot be restored to a point in time")
    if table.get("SSEDescription", {}).get("Status") not in {"ENABLED", "UPDATING"}:
        wrong.append("is not encrypted with membus' own key")
    yield judge(about, wrong, well="protected, encrypted, point-in-time recovery", remedy=APPLY_AGAIN)


def streams(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """A stream that nobody reads is changes that search and sweep never hear of."""
    sources = {
        each["EventSourceArn"].partition("/stream/")[0]
        for each in deployment.client("lambda")
        .get_paginator("list_event_source_mappings")
        .paginate()
        .search("EventSourceMappings[]")
        or []
        if each.get("EventSourceArn")
    }
    dynamodb = deployment.client("dynamodb")
    for name in sorted({value for key, value in deployment.settings.items() if key.endswith("_TABLE")}):
        table = dynamodb.describe_table(TableName=name)["Table"]
        about, streamed = f"table {deployment.short(name)}, stream", table.get("StreamSpecification", {})
        read = table["TableArn"] in sources
        if not streamed.get("StreamEnabled") and not read:
            continue
        if read and streamed.get("StreamViewType") == "NEW_AND_OLD_IMAGES":
            yield ok(about, "new and old images, read by a function")
        else:
            wrong = (
                ["is read by nobody"] if not read else [f"shows {streamed.get('StreamViewType', 'nothing')}"]
            )
            yield judge(about, wrong, well="", remedy=APPLY_AGAIN, page="index-behind")
