"""CloudWatch: somebody is told, of what, and what rings now."""

from collections.abc import Iterator
from typing import Any

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import Finding, fail, ok, skipped, warn
from scripts.doctor.pages import find_runbook


def alarms(deployment: DeployedEnvironment) -> Iterator[Finding]:
    pages = (
        deployment.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=deployment.name(""))
    )
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    if not found:
        yield _none(deployment)
        return
    silent = [deployment.short(each["AlarmName"]) for each in found if not each.get("AlarmActions")]
    if silent:
        yield fail(
            "alarms", f"tell nobody: {', '.join(silent)}", "name operations.alarm_topic_arn, then make apply"
        )
    for each in found:
        yield from _rings(deployment, each)
    if not any(each["StateValue"] == "ALARM" for each in found):
        yield ok("alarms", f"{len(found)}, none rings")


def _none(deployment: DeployedEnvironment) -> Finding:
    if deployment.is_local:
        return skipped("alarms", "the local stack has none")
    return warn(
        "alarms",
        "there are none: nobody is told of anything",
        "name operations.alarm_topic_arn, then make apply",
    )


def _rings(deployment: DeployedEnvironment, alarm: Any) -> Iterator[Finding]:
    if alarm["StateValue"] == "ALARM":
        name = deployment.short(alarm["AlarmName"])
        yield fail(
            f"alarm {name}", alarm.get("AlarmDescription") or "rings", "see its runbook", find_runbook(name)
        )
