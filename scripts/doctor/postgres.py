"""Postgres, asked through `migrate`, which reaches it from inside the network.

And RDS Proxy's pinned sessions.
"""

import json
from collections.abc import Iterator
from typing import Any

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import Finding, fail, judge, ok, skipped, warn

POSTGRES_REMEDY = "make apply migrates; what it does not mend was changed by hand"
POSTGRES_PAGE = "postgres"


def schema(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Row security on every table with a tenant, a role without powers, migrations as in this checkout."""
    answer = deployment.client("lambda").invoke(
        FunctionName=deployment.name("migrate"), Payload=json.dumps({"task": "inspect"}).encode()
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
    rds, name = deployment.client("rds"), deployment.name("vectors")
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
    pinned = deployment.highest("AWS/RDS", metric, {"ProxyName": name})
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
