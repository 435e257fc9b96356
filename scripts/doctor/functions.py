"""Lambda: the functions of this checkout run, alike, on the newest layer, and are fed.

What failed lately is said.

The language models.

Each is asked how many tokens a word has, which costs nothing and proves key, name and way.

Who asks, and whether this machine's clock agrees with the account's: signatures hang on both.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from scripts.doctor.findings import (
    DENIED,
    Config,
    DeployedEnvironment,
    Finding,
    fail,
    judge,
    ok,
    skipped,
    warn,
)

LAMBDA_REMEDY = "make apply deploys all functions of this checkout together"


def functions(deployment: DeployedEnvironment) -> Iterator[Finding]:
    missing = sorted(set(deployment.shipped_functions) - set(deployment.function_configurations))
    if missing:
        yield fail("functions", f"not deployed: {', '.join(missing)}", LAMBDA_REMEDY)
    for name, config in sorted(deployment.function_configurations.items()):
        wrong = _unwell(deployment, config)
        yield judge(
            f"function {name}",
            wrong,
            well=f"{config['Runtime']}, active",
            remedy=LAMBDA_REMEDY,
            page="function-errors",
        )
    yield from _same_configuration(deployment)


def _unwell(deployment: DeployedEnvironment, config: Config) -> list[str]:
    told = config.get("Environment", {}).get("Variables", {})
    wrong = [] if config.get("State", "Active") == "Active" else [f"is {config['State']}"]
    if config.get("LastUpdateStatus", "Successful") == "Failed":
        wrong.append(f"its last update failed: {config.get('LastUpdateStatusReason', 'no reason')}")
    if told.get("ENVIRONMENT") != deployment.environment:
        wrong.append(f"believes to be in {told.get('ENVIRONMENT') or 'no environment'}")
    return wrong


def _same_configuration(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Functions that share code and stores must be of one age; a layer's version is its age."""
    every = deployment.function_configurations.values()
    runtimes = Counter(
        f"{each['Runtime']} {' '.join(each.get('Architectures', ['x86_64']))}" for each in every
    )
    layers = Counter(layer["Arn"] for each in every for layer in each.get("Layers", []))
    versions: dict[str, set[str]] = {}
    for arn in layers:
        name, _, version = arn.rpartition(":")
        versions.setdefault(deployment.short_name(name.rpartition(":")[2]), set()).add(version)
    mixed = [
        f"layer {name} in versions {', '.join(sorted(found))}"
        for name, found in versions.items()
        if len(found) > 1
    ]
    if len(runtimes) > 1:
        mixed.append(f"runtimes {', '.join(runtimes)}")
    told = ", ".join(f"{name} {min(found)}" for name, found in sorted(versions.items()))
    yield judge("functions, alike", mixed, well=f"one runtime; layers {told or 'none'}", remedy=LAMBDA_REMEDY)


def mappings(deployment: DeployedEnvironment) -> Iterator[Finding]:
    found = deployment.client("lambda").get_paginator("list_event_source_mappings").paginate()
    for each in (each for page in found for each in page["EventSourceMappings"]):
        name = deployment.short_name(each["FunctionArn"].split(":")[6])
        if name not in deployment.function_configurations:
            continue
        source = deployment.short_name(each["EventSourceArn"].partition("/stream/")[0].rpartition(":")[2])
        wrong = [] if each.get("State") == "Enabled" else [f"is {each.get('State')}"]
        if "ReportBatchItemFailures" not in each.get("FunctionResponseTypes", []):
            wrong.append("fails whole batches for one message")
        if "PROBLEM" in each.get("LastProcessingResult", ""):
            wrong.append(each["LastProcessingResult"])
        yield judge(
            f"{source} feeds {name}",
            wrong,
            well="enabled, reports what failed",
            remedy=LAMBDA_REMEDY,
            page="function-errors",
        )


def errors(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Errors and throttles of the last hour; a function that nobody measured says nothing."""
    for name in sorted(deployment.function_configurations):
        dimensions = {"FunctionName": deployment.resource_name(name)}
        if deployment.get_highest_metric("AWS/Lambda", "Invocations", dimensions) is None:
            yield skipped(f"function {name}, last hour", "nobody measured it: not called, or no metrics here")
            continue
        counts = {
            each: deployment.get_highest_metric("AWS/Lambda", each, dimensions) or 0
            for each in ("Errors", "Throttles")
        }
        told = ", ".join(
            f"{count:.0f} {what.lower()} in five minutes" for what, count in counts.items() if count
        )
        about = f"function {name}, last hour"
        page = "function-throttles" if counts["Throttles"] and not counts["Errors"] else "function-errors"
        yield warn(about, told, "read its log", page) if told else ok(about, "no errors, no throttles")


MODEL_TIMEOUT_SECONDS = 10
MODEL_PAGE = "model"


def model(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """From this machine: what a function's network lets through, its own log tells."""
    told = deployment.function_settings
    models = sorted(
        {value for key, value in told.items() if key.endswith("_MODEL_ID") and value and "EMBED" not in key}
    )
    if told.get("MODEL_PROVIDER") == "bedrock":
        for name in models:
            yield _bedrock(deployment, name)
        return
    try:
        secret = deployment.client("secretsmanager").get_secret_value(SecretId=told["MODEL_SECRET_ID"])[
            "SecretString"
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        yield skipped("models", "you may not read the key, and without it nobody answers")
        return
    for name in models:
        yield _anthropic(name, secret, told.get("ANTHROPIC_BASE_URL"))


def _anthropic(name: str, key: str, address: str | None) -> Finding:
    from anthropic import Anthropic, AnthropicError  # noqa: PLC0415 - takes most of a second, for this check alone

    about = f"model {name}"
    try:
        with Anthropic(api_key=key, base_url=address, max_retries=0, timeout=MODEL_TIMEOUT_SECONDS) as client:
            client.messages.count_tokens(model=name, messages=[{"role": "user", "content": "hello"}])
    except AnthropicError as error:
        return fail(
            about,
            f"does not answer: {type(error).__name__}",
            "see the provider's status and the key",
            MODEL_PAGE,
        )
    return ok(about, "answers")


def _bedrock(deployment: DeployedEnvironment, name: str) -> Finding:
    about = f"model {name}"
    body: Any = {"converse": {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}}
    try:
        deployment.client("bedrock-runtime").count_tokens(modelId=name, input=body)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return skipped(about, "you may not count its tokens")
        return fail(
            about, f"does not answer: {code}", "see that the account may use it, in this region", MODEL_PAGE
        )
    return ok(about, "answers")


SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 60, 300  # AWS refuses signatures that are five minutes off


def caller(deployment: DeployedEnvironment) -> Iterator[Finding]:
    before = datetime.now(UTC)
    answer = deployment.client("sts").get_caller_identity()
    arn = answer["Arn"]
    if arn.endswith(":root") and not deployment.is_local:
        yield warn("caller", f"{arn}: the account's root", "take an operator's role")
    else:
        yield ok("caller", arn)
    yield _skew(answer["ResponseMetadata"]["HTTPHeaders"].get("date"), before)


def _skew(date: str | None, here: datetime) -> Finding:
    if date is None:
        return skipped("clock", "the answer bears no date")
    off = abs((parsedate_to_datetime(date) - here).total_seconds())
    if off < SKEW_WARN_SECONDS:
        return ok("clock", f"within {SKEW_WARN_SECONDS} s of the account's")
    told = f"{off:.0f} s from the account's"
    if off < SKEW_FAIL_SECONDS:
        return warn("clock", told, "set this machine's clock")
    return fail("clock", told, "set this machine's clock: signatures are refused")
