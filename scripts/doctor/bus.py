"""EventBridge.

Every rule is on and delivers somewhere that can fail visibly, and the archive forgets in time.
"""

from collections.abc import Iterator
from typing import Any

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import APPLY_AGAIN, Finding, judge

ARCHIVES_OWN = "Events-Archive-"
"""EventBridge feeds an archive by a rule that it makes and keeps itself."""


def bus(deployment: DeployedEnvironment) -> Iterator[Finding]:
    events, name = deployment.client("events"), deployment.settings["BUS_NAME"]
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
    if not any(rule["Name"].startswith(deployment.name("")) for rule in rules):
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
