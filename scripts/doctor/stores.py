"""What else keeps something: the archive's bucket, secrets, and the hot tier."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import APPLY_AGAIN, Finding, fail, judge, ok, skipped

PUBLIC_ACCESS_SETTINGS = 4
"""Two for access lists and two for policies; a bucket is closed where all are on."""
ABSENT = {
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchLifecycleConfiguration",
    "NoSuchBucketPolicy",
}


def bucket(deployment: DeployedEnvironment) -> Iterator[Finding]:
    s3, name = deployment.client("s3"), deployment.settings["ARCHIVE_BUCKET"]
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
    names = sorted({value for key, value in deployment.settings.items() if key.endswith("_SECRET_ID")})
    for name in names:
        stages = (
            deployment.client("secretsmanager").describe_secret(SecretId=name).get("VersionIdsToStages", {})
        )
        about = f"secret {deployment.short(name.rpartition(':')[2])}"
        if any("AWSCURRENT" in each for each in stages.values()):
            yield ok(about, "has a value")
        else:
            yield fail(
                about,
                "has no value",
                f"aws secretsmanager put-secret-value --secret-id {name} --secret-string …",
            )


def hot_tier(deployment: DeployedEnvironment) -> Iterator[Finding]:
    url, cache = deployment.settings.get("HOT_TIER_URL"), deployment.settings.get("HOT_TIER_CACHE")
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
