"""Lambda: the functions of this checkout run, alike, on the newest layer, and are fed.

What failed lately is said.
"""

from collections import Counter
from collections.abc import Iterator

from scripts.doctor.deployment import Config, DeployedEnvironment
from scripts.doctor.findings import Finding, fail, judge, ok, skipped, warn

LAMBDA_REMEDY = "make apply deploys all functions of this checkout together"


def functions(deployment: DeployedEnvironment) -> Iterator[Finding]:
    missing = sorted(set(deployment.shipped) - set(deployment.functions))
    if missing:
        yield fail("functions", f"not deployed: {', '.join(missing)}", LAMBDA_REMEDY)
    for name, config in sorted(deployment.functions.items()):
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
    every = deployment.functions.values()
    runtimes = Counter(
        f"{each['Runtime']} {' '.join(each.get('Architectures', ['x86_64']))}" for each in every
    )
    layers = Counter(layer["Arn"] for each in every for layer in each.get("Layers", []))
    versions: dict[str, set[str]] = {}
    for arn in layers:
        name, _, version = arn.rpartition(":")
        versions.setdefault(deployment.short(name.rpartition(":")[2]), set()).add(version)
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
        name = deployment.short(each["FunctionArn"].split(":")[6])
        if name not in deployment.functions:
            continue
        source = deployment.short(each["EventSourceArn"].partition("/stream/")[0].rpartition(":")[2])
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
    for name in sorted(deployment.functions):
        dimensions = {"FunctionName": deployment.name(name)}
        if deployment.highest("AWS/Lambda", "Invocations", dimensions) is None:
            yield skipped(f"function {name}, last hour", "nobody measured it: not called, or no metrics here")
            continue
        counts = {
            each: deployment.highest("AWS/Lambda", each, dimensions) or 0 for each in ("Errors", "Throttles")
        }
        told = ", ".join(
            f"{count:.0f} {what.lower()} in five minutes" for what, count in counts.items() if count
        )
        about = f"function {name}, last hour"
        page = "function-throttles" if counts["Throttles"] and not counts["Errors"] else "function-errors"
        yield warn(about, told, "read its log", page) if told else ok(about, "no errors, no throttles")
