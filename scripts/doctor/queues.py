"""Checks of SQS queues, the EventBridge bus and CloudWatch alarms."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.dlq.queues import EnvironmentQueues, find_dead_letter_queue
from scripts.doctor.findings import DeployedEnvironment, Finding, fail, find_runbook, judge, ok, skipped, warn
from scripts.doctor.functions import mapped_function

RECEIVES_MIN = 5
"""Below it, throttled pollers alone send healthy messages to the dead-letter queue."""
VISIBILITY_TIMES = 6
AGE_WARN_SECONDS, OVERFLOW_WARN_SECONDS = 600, 3600
DEAD_LETTER_QUEUES = {"bus-dlq", "quarantine", "failures"}
ARCHIVE_RULE = "Events-Archive-"
"""EventBridge feeds an archive by a rule that it makes and keeps itself."""
SET_TOPIC = "set operations.alarm_topic_arn, then make apply"


def queues(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every queue has a reader and a dead-letter queue, hides messages long enough, and is not behind."""
    sqs, prefix = deployment.client("sqs"), deployment.resource_name("")
    found: dict[str, Any] = {}
    for url in deployment.list_all("sqs", "list_queues", "QueueUrls", QueueNamePrefix=prefix):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        found[deployment.short_name(url)] = attributes
    arns = {each["QueueArn"] for each in found.values()}
    for name, attributes in sorted(found.items()):
        if find_dead_letter_queue(name):
            yield _check_dead_letters(name, int(attributes["ApproximateNumberOfMessages"]))
        else:
            yield _check_queue(deployment, name, attributes, arns)
            yield _check_age(deployment, name)


def _check_dead_letters(name: str, waiting: int) -> Finding:
    if not waiting:
        return ok(f"queue {name}", "empty")
    remedy, page = f"python -m scripts dlq show {name}", find_runbook(f"{name}-not-empty")
    return warn(f"queue {name}", f"{waiting} messages wait", remedy, page)


def _check_queue(deployment: DeployedEnvironment, name: str, attributes: Any, arns: set[str]) -> Finding:
    redrive = json.loads(attributes.get("RedrivePolicy", "{}"))
    receives = int(redrive.get("maxReceiveCount", RECEIVES_MIN))
    visible, needed = (
        int(attributes["VisibilityTimeout"]),
        _needed_visibility(deployment, attributes["QueueArn"]),
    )
    wrong = {
        "has no dead-letter queue: a message that fails is lost": redrive.get("deadLetterTargetArn")
        not in arns,
        f"gives up after {receives} receives": receives < RECEIVES_MIN,
        "is read by no function": needed is None,
        f"hides a message for {visible} s, its function needs {needed}": needed and visible < needed,
    }
    return judge(f"queue {name}", wrong, f"read, hides for {visible} s, has its dead-letter queue")


def _needed_visibility(deployment: DeployedEnvironment, arn: str) -> int | None:
    """Return the visibility timeout that the queue's function needs, None if no function reads the queue."""
    answer = deployment.client("lambda").list_event_source_mappings(EventSourceArn=arn)
    for each in answer["EventSourceMappings"]:
        if function := deployment.function_configurations.get(mapped_function(deployment, each)):
            window: int = each.get("MaximumBatchingWindowInSeconds", 0)
            return VISIBILITY_TIMES * int(function["Timeout"]) + window
    return None


def _check_age(deployment: DeployedEnvironment, name: str) -> Finding:
    about, dimensions = f"queue {name}, age", {"QueueName": deployment.resource_name(name)}
    age = deployment.get_highest_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", dimensions)
    if age is None:
        return skipped(about, "no metric of the last hour")
    found = f"the oldest message waited {age:.0f} s"
    if age < (OVERFLOW_WARN_SECONDS if name.endswith("-surplus") else AGE_WARN_SECONDS):
        return ok(about, found)
    return warn(about, found, "see why its function is slow", find_runbook(f"{name}-falls-behind"))


def dead_letters(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """The bus, extract and the failed invocations have their dead-letter queues."""
    queues = EnvironmentQueues(deployment.client("sqs"), deployment.environment)
    names = sorted(queue.name for queue in queues.list_dead_letter_queues())
    wrong = {f"no {name}": name not in names for name in sorted(DEAD_LETTER_QUEUES)}
    yield judge("dead-letter queues", wrong, ", ".join(names), page="dead-letters")


def bus(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Every rule is on and its targets have dead-letter queues; the bus has an archive that expires."""
    events, name = deployment.client("events"), deployment.function_settings["BUS_NAME"]
    found = events.describe_event_bus(Name=name)
    wrong = {
        "has no dead-letter queue": not found.get("DeadLetterConfig", {}).get("Arn"),
        "is encrypted with a key of its own, whose policy can lose events": found.get("KmsKeyIdentifier"),
    }
    yield judge("bus", wrong, name, page="bus-dlq-not-empty")
    yield _check_archive(events.list_archives(EventSourceArn=found["Arn"])["Archives"])
    rules = events.list_rules(EventBusName=name)["Rules"]
    rules = [rule for rule in rules if not rule["Name"].startswith(ARCHIVE_RULE)]
    for rule in rules:
        targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=name)["Targets"]
        yield _check_rule(rule, targets)
    if not any(rule["Name"].startswith(deployment.resource_name("")) for rule in rules):
        yield fail("bus, rules", "every event is dropped: no rule")


def _check_archive(archives: list[Any]) -> Finding:
    wrong: dict[str, object] = {"keeps no event for replay": not archives}
    for each in archives:
        wrong[f"{each['ArchiveName']} keeps events for ever"] = not each.get("RetentionDays")
        state = each.get("State", "ENABLED")
        wrong[f"is {state}"] = state not in {"ENABLED", "UPDATING"}
    days = ", ".join(f"{each['ArchiveName']}: {each.get('RetentionDays')} days" for each in archives)
    return judge("bus, archive", wrong, days, page="route-undelivered")


def _check_rule(rule: Any, targets: list[Any]) -> Finding:
    wrong: dict[str, object] = {
        f"is {rule.get('State')}": rule.get("State") != "ENABLED",
        "has no target": not targets,
    }
    for each in targets:
        wrong[f"target {each['Id']} has no dead-letter queue"] = not each.get("DeadLetterConfig")
    return judge(
        f"rule {rule['Name']}", wrong, "on, its target has a dead-letter queue", page="route-undelivered"
    )


def alarms(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Alarms exist, have an action, and are not in alarm now."""
    prefix = deployment.resource_name("")
    found = deployment.list_all("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix)
    if not found and deployment.is_local:
        yield skipped("alarms", "the local stack has none")
    elif not found:
        yield warn("alarms", "there are none: nobody learns of a failure", SET_TOPIC)
    silent = [deployment.short_name(each["AlarmName"]) for each in found if not each.get("AlarmActions")]
    if silent:
        yield fail("alarms", f"without an action: {', '.join(silent)}", SET_TOPIC)
    active = [each for each in found if each["StateValue"] == "ALARM"]
    for each in active:
        name = deployment.short_name(each["AlarmName"])
        description = each.get("AlarmDescription") or "in alarm"
        yield fail(f"alarm {name}", description, "see its runbook", find_runbook(name))
    if found and not active:
        yield ok("alarms", f"{len(found)}, none in alarm")
