"""DynamoDB: the tables that functions are told of, with what keeps and what forgets their items.

What else keeps something: the archive's bucket, secrets, and the hot tier.

Postgres, asked through `migrate`, which reaches it from inside the network.

And RDS Proxy's pinned sessions.

Fairness: both doors count by the same rates, and could count in the last hour.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from pydantic import ValidationError

from membus.tenants.model import RateLimits
from scripts.doctor.findings import APPLY_AGAIN, DeployedEnvironment, Finding, fail, judge, ok, skipped, warn


def tables(deployment: DeployedEnvironment) -> Iterator[Finding]:
    dynamodb = deployment.client("dynamodb")
    for name in sorted(
        {value for key, value in deployment.function_settings.items() if key.endswith("_TABLE")}
    ):
        about = f"table {deployment.short_name(name)}"
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
    about = f"table {deployment.short_name(name)}, kept"
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
    for name in sorted(
        {value for key, value in deployment.function_settings.items() if key.endswith("_TABLE")}
    ):
        table = dynamodb.describe_table(TableName=name)["Table"]
        about, streamed = f"table {deployment.short_name(name)}, stream", table.get("StreamSpecification", {})
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


PUBLIC_ACCESS_SETTINGS = 4
"""Two for access lists and two for policies; a bucket is closed where all are on."""
ABSENT = {
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
}


def bucket(deployment: DeployedEnvironment) -> Iterator[Finding]:
    s3, name = deployment.client("s3"), deployment.function_settings["ARCHIVE_BUCKET"]
    block = _or_nothing(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"])
    blocked = len(block) == PUBLIC_ACCESS_SETTINGS and all(block.values())
    wrong = [] if blocked else ["may be opened to the public"]
    yield judge("bucket, public access", wrong, well="blocked", remedy=APPLY_AGAIN)
    rules = _or_nothing(
        lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    ).get("Rules", [])
    kinds = [each["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for each in rules]
    yield judge(
        "bucket, encryption",
        [] if kinds == ["aws:kms"] else ["is not by membus' own key"],
        well="by membus' own key",
        remedy=APPLY_AGAIN,
    )
    versions = s3.get_bucket_versioning(Bucket=name).get("Status")
    yield judge(
        "bucket, versions", [] if versions == "Enabled" else ["are not kept"], well="kept", remedy=APPLY_AGAIN
    )
    lifecycle = _or_nothing(lambda: s3.get_bucket_lifecycle_configuration(Bucket=name)).get("Rules", [])
    yield judge("bucket, lifecycle", _unruled(lifecycle), well=f"{len(lifecycle)} rules", remedy=APPLY_AGAIN)


def _unruled(rules: list[Any]) -> list[str]:
    on = [each for each in rules if each.get("Status") == "Enabled"]
    wrong = (
        [] if any("NoncurrentVersionExpiration" in each for each in on) else ["old versions stay for ever"]
    )
    if not any("AbortIncompleteMultipartUpload" in each for each in on):
        wrong.append("uploads that broke off stay for ever")
    return wrong


def _or_nothing(ask: Callable[[], Any]) -> Any:
    """Return what is configured, or nothing: S3 answers an error where there is none."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return {}
        raise


def secrets(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Each has a value; which, nobody asks."""
    names = sorted(
        {value for key, value in deployment.function_settings.items() if key.endswith("_SECRET_ID")}
    )
    for name in names:
        stages = (
            deployment.client("secretsmanager").describe_secret(SecretId=name).get("VersionIdsToStages", {})
        )
        about = f"secret {deployment.short_name(name.rpartition(':')[2])}"
        if any("AWSCURRENT" in each for each in stages.values()):
            yield ok(about, "has a value")
        else:
            yield fail(
                about,
                "has no value",
                f"aws secretsmanager put-secret-value --secret-id {name} --secret-string …",
            )


def hot_tier(deployment: DeployedEnvironment) -> Iterator[Finding]:
    url, cache = (
        deployment.function_settings.get("HOT_TIER_URL"),
        deployment.function_settings.get("HOT_TIER_CACHE"),
    )
    if not url:
        yield skipped("hot tier", "there is none here: reads go to DynamoDB")
    elif not cache:
        yield _pinged(url)
    else:
        found = deployment.client("elasticache").describe_serverless_caches(ServerlessCacheName=cache)
        status = found["ServerlessCaches"][0]["Status"]
        wrong = [] if status == "available" else [f"is {status}"]
        yield judge(
            "hot tier",
            wrong,
            well="available",
            remedy="reads fall through to DynamoDB meanwhile",
            page="hot-throttled",
        )
        yield skipped(
            "hot tier, reached", f"{urlsplit(url).hostname} answers functions inside its network alone"
        )


def _pinged(url: str) -> Finding:
    from redis import Redis, RedisError  # noqa: PLC0415 - only this check needs it

    try:
        Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2).ping()
    except RedisError as error:
        return fail(
            "hot tier", f"does not answer: {error}", "start it; reads fall through meanwhile", "hot-throttled"
        )
    return ok("hot tier", "answers")


POSTGRES_REMEDY = "make apply migrates; what it does not mend was changed by hand"
POSTGRES_PAGE = "postgres"


def schema(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Row security on every table with a tenant, a role without powers, migrations as in this checkout."""
    answer = deployment.client("lambda").invoke(
        FunctionName=deployment.resource_name("migrate"), Payload=json.dumps({"task": "inspect"}).encode()
    )
    said: Any = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        yield fail("postgres", str(said.get("errorMessage", said)), "see migrate's log", POSTGRES_PAGE)
        return
    if "unwalled" not in said:
        yield skipped("postgres", "the deployed migrate is older than this command and cannot inspect")
        return
    open_tables, walls = [f"{each} is open" for each in said["unwalled"]], ", ".join(said["walled"])
    yield judge(
        "postgres, row security",
        open_tables,
        well=f"forced on {walls}",
        remedy=POSTGRES_REMEDY,
        page=POSTGRES_PAGE,
    )
    role = f"{said['role']} owns nothing and bypasses nothing"
    yield judge(
        "postgres, functions' role", said["powers"], well=role, remedy=POSTGRES_REMEDY, page=POSTGRES_PAGE
    )
    wrong = [f"{each} is not applied" for each in said["pending"]]
    wrong += [f"{each} was changed after it was applied" for each in said["changed"]]
    yield judge(
        "postgres, migrations",
        wrong,
        well=f"up to {said['version']}",
        remedy=POSTGRES_REMEDY,
        page=POSTGRES_PAGE,
    )


def proxy(deployment: DeployedEnvironment) -> Iterator[Finding]:
    rds, name = deployment.client("rds"), deployment.resource_name("vectors")
    if not any(each["DBProxyName"] == name for each in rds.describe_db_proxies()["DBProxies"]):
        yield skipped("proxy, pinned sessions", "there is no RDS Proxy here")
        return
    targets = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
    states = {each["RdsResourceId"]: each.get("TargetHealth", {}).get("State") for each in targets}
    away = [f"{name} is {state}" for name, state in states.items() if state != "AVAILABLE"]
    yield judge(
        "proxy, targets", away, well=f"{len(targets)} available", remedy=POSTGRES_REMEDY, page=POSTGRES_PAGE
    )
    metric = "DatabaseConnectionsCurrentlySessionPinned"
    pinned = deployment.get_highest_metric("AWS/RDS", metric, {"ProxyName": name})
    about = "proxy, pinned sessions"
    if pinned is None:
        yield skipped(about, "nobody measured them in the last hour")
    elif pinned:
        yield warn(
            about,
            f"{pinned:.0f} at once in the last hour",
            "look for SET, PREPARE or temporary tables",
            POSTGRES_PAGE,
        )
    else:
        yield ok(about, "none in the last hour")


LIMITED_FUNCTIONS = ("api", "chat")


def rates(deployment: DeployedEnvironment) -> Iterator[Finding]:
    yield _same_rates(deployment)
    dimensions = {"environment": deployment.environment}
    uncounted = deployment.get_highest_metric("membus", "RatesUncounted", dimensions)
    refused = deployment.get_highest_metric("membus", "RateRefusals", dimensions)
    if uncounted:
        yield warn(
            "rates, counted", f"{uncounted:.0f} requests passed uncounted", "see the table tenants", "floods"
        )
    elif refused is None:
        yield skipped("rates, counted", "nobody was refused in the last hour")
    else:
        yield ok("rates, counted", f"at most {refused:.0f} refused in five minutes")


def _same_rates(deployment: DeployedEnvironment) -> Finding:
    told = {name: _configured_rates(deployment, name) for name in LIMITED_FUNCTIONS}
    if not all(told.values()):
        return skipped("rates", "a door is not told of them: see the functions")
    try:
        found = {name: RateLimits.model_validate_json(text) for name, text in told.items()}
    except ValidationError:
        return fail("rates", f"unreadable: {told}", APPLY_AGAIN, "floods")
    usual, other = found["api"], found["chat"]
    if usual != other:
        return fail("rates", f"memory counts by {usual}, chat by {other}", APPLY_AGAIN, "floods")
    return ok(
        "rates", f"{usual.requests_per_second:g} requests and {usual.events_per_second:g} events a second"
    )


def _configured_rates(deployment: DeployedEnvironment, name: str) -> str:
    settings: dict[str, str] = (
        deployment.function_configurations.get(name, {}).get("Environment", {}).get("Variables", {})
    )
    return settings.get("TENANT_RATES", "")
