"""SQS.

Queues that give up where somebody looks, hide messages long enough, and hold nothing that waits for people.

EventBridge.

Every rule is on and delivers somewhere that can fail visibly, and the archive forgets in time.

CloudWatch: somebody is told, of what, and what rings now.
"""

import json
from collections.abc import Iterator
from typing import Any

from scripts.dlq.queues import EnvironmentQueues, find_dead_letter_queue
from scripts.doctor.findings import (
    APPLY_AGAIN,
    DeployedEnvironment,
    Finding,
    fail,
    find_runbook,
    judge,
    ok,
    skipped,
    warn,
)

RECEIVES_MIN = 5
"""Below it, throttled pollers alone send healthy messages to the dead-letter queue."""
VISIBILITY_TIMES = 6
AGE_WARN_SECONDS, SURPLUS_WARN_SECONDS = 600, 3600


def queues(deployment: DeployedEnvironment) -> Iterator[Finding]:
    sqs, prefix = deployment.client("sqs"), deployment.resource_name("")
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
    urls = {
        url.rpartition("/")[2].removeprefix(prefix): url
        for page in pages
        for url in page.get("QueueUrls", [])
    }
    attributes = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for name, url in urls.items()
    }
    arns = {each["QueueArn"] for each in attributes.values()}
    for name, found in sorted(attributes.items()):
        if find_dead_letter_queue(name):
            yield _check_dead_letter_queue(name, found)
        else:
            yield _route(name, found, arns, _slowest(deployment, found["QueueArn"]))
            yield _age(deployment, name)


def _check_dead_letter_queue(name: str, found: Any) -> Finding:
    waiting = int(found["ApproximateNumberOfMessages"])
    if not waiting:
        return ok(f"queue {name}", "empty")
    way = f"python -m scripts dlq show {name}"
    return warn(f"queue {name}", f"{waiting} messages wait", way, find_runbook(f"{name}-not-empty"))


def _route(name: str, found: Any, arns: set[str], slowest: tuple[int, int] | None) -> Finding:
    redrive = json.loads(found.get("RedrivePolicy", "{}"))
    wrong = (
        [] if redrive.get("deadLetterTargetArn") in arns else ["gives up into nothing: no dead-letter queue"]
    )
    if int(redrive.get("maxReceiveCount", RECEIVES_MIN)) < RECEIVES_MIN:
        wrong.append(f"gives up after {redrive['maxReceiveCount']} receives")
    visible = int(found["VisibilityTimeout"])
    if slowest is None:
        wrong.append("is read by no function")
    elif visible < (needed := VISIBILITY_TIMES * slowest[0] + slowest[1]):
        wrong.append(f"hides a message for {visible} s, its function needs {needed}")
    return judge(
        f"queue {name}",
        wrong,
        well=f"read, hides for {visible} s, has its dead-letter queue",
        remedy=APPLY_AGAIN,
    )


def _slowest(deployment: DeployedEnvironment, arn: str) -> tuple[int, int] | None:
    """Return timeout and batching window, in seconds, of the function that reads the queue."""
    found = deployment.client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]
    for each in found:
        function = deployment.function_configurations.get(
            deployment.short_name(each["FunctionArn"].split(":")[6])
        )
        if function:
            return function["Timeout"], each.get("MaximumBatchingWindowInSeconds", 0)
    return None


def _age(deployment: DeployedEnvironment, name: str) -> Finding:
    about, page = f"queue {name}, age", find_runbook(f"{name}-falls-behind")
    dimensions = {"QueueName": deployment.resource_name(name)}
    age = deployment.get_highest_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions)
    if age is None:
        return skipped(about, "nobody measured it in the last hour")
    if age < (SURPLUS_WARN_SECONDS if name.endswith("-surplus") else AGE_WARN_SECONDS):
        return ok(about, f"the oldest message waited {age:.0f} s")
    return warn(about, f"the oldest message waited {age:.0f} s", "see why its function is slow", page)


def dead_letters(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every route of the bus has both of its dead-letter queues, and the bus its own."""
    names = {
        end.name
        for end in EnvironmentQueues(
            deployment.client("sqs"), deployment.environment
        ).list_dead_letter_queues()
    }
    wanted = {"bus-dlq", "quarantine", "failures"}
    missing = [f"no {name}" for name in sorted(wanted - names)]
    yield judge(
        "dead-letter queues", missing, well=", ".join(sorted(names)), remedy=APPLY_AGAIN, page="dead-letters"
    )


ARCHIVES_OWN = "Events-Archive-"
"""EventBridge feeds an archive by a rule that it makes and keeps itself."""


def bus(deployment: DeployedEnvironment) -> Iterator[Finding]:
    events, name = deployment.client("events"), deployment.function_settings["BUS_NAME"]
    found = events.describe_event_bus(Name=name)
    wrong = [] if found.get("DeadLetterConfig", {}).get("Arn") else ["has no dead-letter queue"]
    if found.get("KmsKeyIdentifier"):
        wrong.append("is encrypted with a key of its own, whose policy can lose events")
    yield judge("bus", wrong, well=name, remedy=APPLY_AGAIN, page="bus-dlq-not-empty")
    yield _archive(events, found["Arn"])
    rules = [
        each
        for each in events.list_rules(EventBusName=name)["Rules"]
        if not each["Name"].startswith(ARCHIVES_OWN)
    ]
    for rule in rules:
        yield _rule(events, name, rule)
    if not any(rule["Name"].startswith(deployment.resource_name("")) for rule in rules):
        yield judge("bus, rules", ["every event is dropped: no rule"], well="", remedy=APPLY_AGAIN)


def _archive(events: Any, arn: str) -> Finding:
    archives = events.list_archives(EventSourceArn=arn)["Archives"]
    wrong = [] if archives else ["keeps no event for replay"]
    wrong += [
        f"{each['ArchiveName']} keeps events for ever" for each in archives if not each.get("RetentionDays")
    ]
    wrong += [
        f"is {each['State']}"
        for each in archives
        if each.get("State", "ENABLED") not in {"ENABLED", "UPDATING"}
    ]
    days = ", ".join(f"{each['ArchiveName']}: {each.get('RetentionDays')} days" for each in archives)
    return judge("bus, archive", wrong, well=days, remedy=APPLY_AGAIN, page="route-undelivered")


def _rule(events: Any, bus_name: str, rule: Any) -> Finding:
    wrong = [] if rule.get("State") == "ENABLED" else [f"is {rule.get('State')}"]
    targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus_name)["Targets"]
    wrong += [] if targets else ["has no target"]
    wrong += [
        f"target {each['Id']} has no dead-letter queue"
        for each in targets
        if not each.get("DeadLetterConfig")
    ]
    return judge(
        f"rule {rule['Name']}",
        wrong,
        well="on, its target has a dead-letter queue",
        remedy=APPLY_AGAIN,
        page="route-undelivered",
    )


def alarms(deployment: DeployedEnvironment) -> Iterator[Finding]:
    pages = (
        deployment.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=deployment.resource_name(""))
    )
    found = [alarm for page in pages for alarm in page["MetricAlarms"]]
    if not found:
        yield _none(deployment)
        return
    silent = [deployment.short_name(each["AlarmName"]) for each in found if not each.get("AlarmActions")]
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
        name = deployment.short_name(alarm["AlarmName"])
        yield fail(
            f"alarm {name}", alarm.get("AlarmDescription") or "rings", "see its runbook", find_runbook(name)
        )
