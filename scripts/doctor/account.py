"""The check of what an account must bring: concurrency of Lambda, and API Gateway's role for logs."""

from collections.abc import Iterator

from scripts.doctor.findings import DeployedEnvironment, Finding, judge, ok, skipped, warn

CONCURRENCY_MIN = 100
"""Below it the functions of one environment refuse each other: each HTTP turn of chat holds one for seconds."""
ASK = "ask for the quota L-B99A9384 (concurrent executions), 1000"
BOOTSTRAP = "apply terraform/bootstrap, or set the role in this region as its README says"


def account(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """Lambda may run enough at once in this region, and API Gateway has a role that writes logs."""
    if deployment.is_local:
        yield skipped("account", "the emulator has no quotas")
        return
    limits = deployment.client("lambda").get_account_settings()["AccountLimit"]
    allowed = limits["ConcurrentExecutions"]
    about = "account, concurrency"
    if allowed < CONCURRENCY_MIN:
        yield warn(about, f"{allowed} executions at once", ASK, "function-throttles")
    else:
        yield ok(about, f"{allowed} executions at once")
    role = deployment.client("apigateway").get_account().get("cloudwatchRoleArn")
    yield judge("account, logs of APIs", {"API Gateway has no role": not role}, f"by {role}", BOOTSTRAP)
