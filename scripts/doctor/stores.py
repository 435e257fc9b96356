"""Checks of stores: DynamoDB tables, the archive's bucket, secrets, the cache, Postgres, rate limits."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from pydantic import ValidationError

from membus.tenants.model import RateLimits
from scripts.doctor.findings import (
    DeployedEnvironment,
    Finding,
    fail,
    get_variables,
    judge,
    ok,
    skipped,
    warn,
)

PUBLIC_ACCESS_SETTINGS = 4
"""Two for access lists and two for policies; a bucket is closed if all are on."""
ABSENT = {
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
}
MIGRATE = "make apply migrates; what it does not mend was changed by hand"
STREAM_VIEW = "NEW_AND_OLD_IMAGES"


def tables(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every table of a function is active, expires items, is protected and encrypted."""
    dynamodb = deployment.client("dynamodb")
    for name in deployment.list_settings("_TABLE"):
        about, table = (
            f"table {deployment.short_name(name)}",
            dynamodb.describe_table(TableName=name)["Table"],
        )
        ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["TimeToLiveStatus"]
        indexes = {
            each["IndexName"]: each.get("IndexStatus") for each in table.get("GlobalSecondaryIndexes", [])
        }
        wrong: dict[str, object] = {
            f"is {table['TableStatus']}": table["TableStatus"] not in {"ACTIVE", "UPDATING"},
            "expires no items: TTL is off": ttl not in {"ENABLED", "ENABLING"},
        }
        for index, state in indexes.items():
            wrong[f"index {index} is {state}"] = state not in {"ACTIVE", None}
        yield judge(about, wrong, "active, expires items, indexes active")
        if deployment.is_local:
            yield skipped(f"{about}, kept", "the local stack protects nothing on purpose")
        else:
            backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
            yield _check_protection(f"{about}, kept", table, backups)


def _check_protection(about: str, table: Any, backups: Any) -> Finding:
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    encryption = table.get("SSEDescription", {}).get("Status")
    if not table.get("DeletionProtectionEnabled") and recovery != "ENABLED":
        found = "unprotected: it can be deleted, and not restored"
        return warn(about, found, "right for an environment to throw away, else protection.protected = true")
    wrong = {
        "can be deleted": not table.get("DeletionProtectionEnabled"),
        "cannot be restored to a point in time": recovery != "ENABLED",
        "is not encrypted with membus' own key": encryption not in {"ENABLED", "UPDATING"},
    }
    return judge(about, wrong, "protected, encrypted, point-in-time recovery")


def streams(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every stream is read by a function, or search and sweep would not learn of changes."""
    mappings = deployment.list_all("lambda", "list_event_source_mappings", "EventSourceMappings")
    read = {each.get("EventSourceArn", "").partition("/stream/")[0] for each in mappings}
    for name in deployment.list_settings("_TABLE"):
        table = deployment.client("dynamodb").describe_table(TableName=name)["Table"]
        stream, is_read = table.get("StreamSpecification", {}), table["TableArn"] in read
        if stream.get("StreamEnabled") or is_read:
            view = stream.get("StreamViewType", "nothing")
            wrong = {"is read by no function": not is_read, f"shows {view}": is_read and view != STREAM_VIEW}
            about = f"table {deployment.short_name(name)}, stream"
            yield judge(about, wrong, "new and old images, read by a function", page="index-behind")


def bucket(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The archive's bucket is private, encrypted and versioned, and old versions expire."""
    s3, name = deployment.client("s3"), {"Bucket": deployment.function_settings["ARCHIVE_BUCKET"]}
    block = _or_empty(lambda: s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"])
    blocked = len(block) == PUBLIC_ACCESS_SETTINGS and all(block.values())
    yield judge("bucket, public access", {"may be opened to the public": not blocked}, "blocked")
    encryption = _or_empty(lambda: s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"])
    kinds = [
        rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in encryption.get("Rules", [])
    ]
    wrong: dict[str, object] = {"is not by membus' own key": kinds != ["aws:kms"]}
    yield judge("bucket, encryption", wrong, "by membus' own key")
    versioning = s3.get_bucket_versioning(**name).get("Status")
    yield judge("bucket, versions", {"are not kept": versioning != "Enabled"}, "kept")
    rules = _or_empty(lambda: s3.get_bucket_lifecycle_configuration(**name)).get("Rules", [])
    on = [rule for rule in rules if rule.get("Status") == "Enabled"]
    wrong = {
        "old versions stay for ever": not any("NoncurrentVersionExpiration" in rule for rule in on),
        "unfinished uploads stay for ever": not any("AbortIncompleteMultipartUpload" in rule for rule in on),
    }
    yield judge("bucket, lifecycle", wrong, f"{len(rules)} rules")


def _or_empty(ask: Callable[[], Any]) -> Any:
    """Return a bucket's configuration, empty if there is none: S3 then answers an error."""
    try:
        return ask()
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return {}
        raise


def secrets(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Each secret has a value, which is not read."""
    for name in deployment.list_settings("_SECRET_ID"):
        found = deployment.client("secretsmanager").describe_secret(SecretId=name)
        has_value = any("AWSCURRENT" in each for each in found.get("VersionIdsToStages", {}).values())
        remedy = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string …"
        about = f"secret {deployment.short_name(name.rpartition(':')[2])}"
        yield judge(about, {"has no value": not has_value}, "has a value", remedy)


def hot_tier(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The conversation cache answers."""
    url, cache = (deployment.function_settings.get(f"HOT_TIER_{name}") for name in ("URL", "CACHE"))
    if not url:
        yield skipped("hot tier", "there is none here: reads go to DynamoDB")
    elif not cache:
        yield _ping(url)
    else:
        found = deployment.client("elasticache").describe_serverless_caches(ServerlessCacheName=cache)
        status = found["ServerlessCaches"][0]["Status"]
        wrong = {f"is {status}": status != "available"}
        yield judge("hot tier", wrong, "available", "reads go to DynamoDB meanwhile", "hot-throttled")
        host = urlsplit(url).hostname
        yield skipped("hot tier, reached", f"{host} answers only functions inside its network")


def _ping(url: str) -> Finding:
    from redis import Redis, RedisError  # noqa: PLC0415 - only this check needs it

    try:
        Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2).ping()
    except RedisError as error:
        remedy = "start it; reads go to DynamoDB meanwhile"
        return fail("hot tier", f"does not answer: {error}", remedy, "hot-throttled")
    return ok("hot tier", "answers")


def schema(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Row security on every table with a tenant, a role without powers, migrations as in this checkout.

    The function `migrate` is asked, which reaches Postgres from inside the network.
    """
    response = deployment.client("lambda").invoke(
        FunctionName=deployment.resource_name("migrate"), Payload=json.dumps({"task": "inspect"}).encode()
    )
    answer: Any = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        yield fail("postgres", str(answer.get("errorMessage", answer)), "see migrate's log", "postgres")
        return
    if "unwalled" not in answer:
        yield skipped("postgres", "the deployed migrate is older than this command and cannot inspect")
        return
    changed = {f"{each} is not applied": True for each in answer["pending"]}
    changed |= {f"{each} was changed after it was applied": True for each in answer["changed"]}
    for about, wrong, well in (
        (
            "row security",
            {f"{each} is open": True for each in answer["unwalled"]},
            f"forced on {', '.join(answer['walled'])}",
        ),
        (
            "functions' role",
            dict.fromkeys(answer["powers"], True),
            f"{answer['role']} owns nothing and bypasses nothing",
        ),
        ("migrations", changed, f"up to {answer['version']}"),
    ):
        yield judge(f"postgres, {about}", wrong, well, MIGRATE, "postgres")


def proxy(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The targets of RDS Proxy are available, and no session is pinned to a connection."""
    rds, name, about = deployment.client("rds"), deployment.resource_name("vectors"), "proxy, pinned sessions"
    if not any(each["DBProxyName"] == name for each in rds.describe_db_proxies()["DBProxies"]):
        yield skipped(about, "there is no RDS Proxy here")
        return
    targets = rds.describe_db_proxy_targets(DBProxyName=name)["Targets"]
    states = {each["RdsResourceId"]: each.get("TargetHealth", {}).get("State") for each in targets}
    wrong = {f"{target} is {state}": state != "AVAILABLE" for target, state in states.items()}
    yield judge("proxy, targets", wrong, f"{len(targets)} available", MIGRATE, "postgres")
    metric = "DatabaseConnectionsCurrentlySessionPinned"
    pinned = deployment.get_highest_metric("AWS/RDS", metric, {"ProxyName": name})
    if pinned is None:
        yield skipped(about, "no metric of the last hour")
    elif pinned:
        found, remedy = f"{pinned:.0f} at once in the last hour", "look for SET, PREPARE or temporary tables"
        yield warn(about, found, remedy, "postgres")
    else:
        yield ok(about, "none in the last hour")


def rates(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The data API and chat have the same rate limits, and could count requests in the last hour."""
    yield _compare_rates(deployment)
    uncounted, refused = (
        deployment.get_highest_metric("membus", metric, {"environment": deployment.environment})
        for metric in ("RatesUncounted", "RateRefusals")
    )
    if uncounted:
        found = f"{uncounted:.0f} requests passed uncounted"
        yield warn("rates, counted", found, "see the table tenants", "floods")
    elif refused is None:
        yield skipped("rates, counted", "no request was refused in the last hour")
    else:
        yield ok("rates, counted", f"at most {refused:.0f} refused in five minutes")


def _compare_rates(deployment: DeployedEnvironment) -> Finding:
    settings = {
        name: get_variables(deployment.function_configurations.get(name, {})).get("TENANT_RATES", "")
        for name in ("api", "chat")
    }
    if not all(settings.values()):
        return skipped("rates", "api or chat has no setting TENANT_RATES: see the functions")
    try:
        api, chat = (RateLimits.model_validate_json(text) for text in settings.values())
    except ValidationError:
        return fail("rates", f"unreadable: {settings}", page="floods")
    wrong = {f"api counts by {api}, chat by {chat}": api != chat}
    well = f"{api.requests_per_second:g} requests and {api.events_per_second:g} events a second"
    return judge("rates", wrong, well, page="floods")
