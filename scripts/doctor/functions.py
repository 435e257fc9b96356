"""Checks of functions: their configuration, what feeds them, their errors, their models, the caller."""

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
    get_variables,
    judge,
    ok,
    skipped,
    warn,
)

REMEDY = "make apply deploys all functions of this checkout together"
MODEL_TIMEOUT_SECONDS = 10
SKEW_WARN_SECONDS, SKEW_FAIL_SECONDS = 60, 300  # AWS refuses signatures that are five minutes off
SET_CLOCK = "set this machine's clock"


def functions(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """All functions of this checkout are deployed, active and alike."""
    missing = sorted(set(deployment.shipped_functions) - set(deployment.function_configurations))
    if missing:
        yield fail("functions", f"not deployed: {', '.join(missing)}", REMEDY)
    for name, config in sorted(deployment.function_configurations.items()):
        environment = get_variables(config).get("ENVIRONMENT")
        reason = config.get("LastUpdateStatusReason", "no reason")
        wrong = {
            f"is {config.get('State')}": config.get("State", "Active") != "Active",
            f"its last update failed: {reason}": config.get("LastUpdateStatus") == "Failed",
            f"has ENVIRONMENT={environment or ''}": environment != deployment.environment,
        }
        yield judge(f"function {name}", wrong, f"{config['Runtime']}, active", REMEDY, "function-errors")
    yield _compare_functions(deployment)


def _compare_functions(deployment: DeployedEnvironment) -> Finding:
    """Functions that share code and stores must have one runtime, and one version of each layer."""
    configs = deployment.function_configurations.values()
    runtimes = sorted(
        {f"{each['Runtime']} {' '.join(each.get('Architectures', ['x86_64']))}" for each in configs}
    )
    versions: dict[str, set[str]] = {}
    for arn in {layer["Arn"] for each in configs for layer in each.get("Layers", [])}:
        name, _, version = arn.rpartition(":")
        versions.setdefault(deployment.short_name(name.rpartition(":")[2]), set()).add(version)
    wrong: dict[str, object] = {
        f"layer {name} in versions {', '.join(sorted(found))}": len(found) > 1
        for name, found in versions.items()
    }
    wrong[f"runtimes {', '.join(runtimes)}"] = len(runtimes) > 1
    layers = ", ".join(f"{name} {min(found)}" for name, found in sorted(versions.items()))
    return judge("functions, alike", wrong, f"one runtime; layers {layers or 'none'}", REMEDY)


def versions(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Snapshots of versions that no alias leads to are billed for ever: AWS deletes none by itself."""
    for name in sorted(deployment.function_configurations):
        function = deployment.resource_name(name)
        aliases = deployment.list_all("lambda", "list_aliases", "Aliases", FunctionName=function)
        used = {"$LATEST", *(each["FunctionVersion"] for each in aliases)}
        published = deployment.list_all(
            "lambda", "list_versions_by_function", "Versions", FunctionName=function
        )
        unused = [each["Version"] for each in published if each["Version"] not in used]
        if unused:
            command = f"aws lambda delete-function --function-name {function} --qualifier <version>"
            found = f"{len(unused)} that no alias uses: {', '.join(unused)}"
            yield warn(f"function {name}, versions", found, f"for each: {command}")


def mappings(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every event source mapping is enabled and reports single failures."""
    for each in deployment.list_all("lambda", "list_event_source_mappings", "EventSourceMappings"):
        name = mapped_function(deployment, each)
        if name in deployment.function_configurations:
            arn = each["EventSourceArn"].partition("/stream/")[0]
            result = each.get("LastProcessingResult", "")
            wrong = {
                f"is {each.get('State')}": each.get("State") != "Enabled",
                "fails whole batches for one message": "ReportBatchItemFailures"
                not in each.get("FunctionResponseTypes", []),
                result: "PROBLEM" in result,
            }
            about = f"{deployment.short_name(arn.rpartition(':')[2])} feeds {name}"
            yield judge(about, wrong, "enabled, reports single failures", REMEDY, "function-errors")


def mapped_function(deployment: DeployedEnvironment, mapping: Config) -> str:
    return deployment.short_name(mapping["FunctionArn"].split(":")[6])


def errors(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Errors and throttles of the last hour."""
    for name in sorted(deployment.function_configurations):
        about, dimensions = f"function {name}, last hour", {"FunctionName": deployment.resource_name(name)}
        calls, errors, throttles = (
            deployment.get_highest_metric("AWS/Lambda", metric, dimensions)
            for metric in ("Invocations", "Errors", "Throttles")
        )
        counts = {"errors": errors, "throttles": throttles}
        found = ", ".join(f"{count:.0f} {what} in five minutes" for what, count in counts.items() if count)
        if calls is None:
            where = "in the emulator" if deployment.is_local else "in CloudWatch: it was not called"
            yield skipped(about, f"no metric of its invocations {where}")
        elif found:
            yield warn(about, found, "read its log", "function-errors" if errors else "function-throttles")
        else:
            yield ok(about, "no errors, no throttles")


def model(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Each language model counts the tokens of a word, which is free and proves key, name and connection.

    The model is called from this machine; a function's own log tells what its network lets through.
    """
    settings = deployment.function_settings
    models = sorted(
        {
            value
            for key, value in settings.items()
            if key.endswith("_MODEL_ID") and value and "EMBED" not in key
        }
    )
    if settings.get("MODEL_PROVIDER") == "bedrock":
        for name in models:
            yield _count_tokens_by_bedrock(deployment, name)
        return
    secrets = deployment.client("secretsmanager")
    try:
        key = secrets.get_secret_value(SecretId=settings["MODEL_SECRET_ID"])["SecretString"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        yield skipped("models", "you may not read the key, and without it no model answers")
        return
    for name in models:
        yield _count_tokens_by_anthropic(name, key, settings.get("ANTHROPIC_BASE_URL"))


def _count_tokens_by_anthropic(name: str, key: str, address: str | None) -> Finding:
    from anthropic import Anthropic, AnthropicError  # noqa: PLC0415 - takes most of a second

    about = f"model {name}"
    try:
        with Anthropic(api_key=key, base_url=address, max_retries=0, timeout=MODEL_TIMEOUT_SECONDS) as client:
            client.messages.count_tokens(model=name, messages=[{"role": "user", "content": "hello"}])
    except AnthropicError as error:
        problem, remedy = f"does not answer: {type(error).__name__}", "see the provider's status and the key"
        return fail(about, problem, remedy, "model")
    return ok(about, "answers")


def _count_tokens_by_bedrock(deployment: DeployedEnvironment, name: str) -> Finding:
    about = f"model {name}"
    body: Any = {"converse": {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}}
    try:
        deployment.client("bedrock-runtime").count_tokens(modelId=name, input=body)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return skipped(about, "you may not count its tokens")
        remedy = "check that the account may use it in this region"
        return fail(about, f"does not answer: {code}", remedy, "model")
    return ok(about, "answers")


def caller(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The caller's identity, and whether this machine's clock agrees with AWS: signatures depend on both."""
    before = datetime.now(UTC)
    answer = deployment.client("sts").get_caller_identity()
    arn = answer["Arn"]
    if arn.endswith(":root") and not deployment.is_local:
        yield warn("caller", f"{arn}: the account's root", "take an operator's role")
    else:
        yield ok("caller", arn)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        yield skipped("clock", "the answer bears no date")
        return
    skew = abs((parsedate_to_datetime(date) - before).total_seconds())
    found = f"{skew:.0f} s from the account's"
    if skew < SKEW_WARN_SECONDS:
        yield ok("clock", f"within {SKEW_WARN_SECONDS} s of the account's")
    elif skew < SKEW_FAIL_SECONDS:
        yield warn("clock", found, SET_CLOCK)
    else:
        yield fail("clock", found, f"{SET_CLOCK}: signatures are refused")
