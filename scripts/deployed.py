"""A deployed function's surroundings: what Terraform tells it, an operator's command can be told, too."""

import os

import boto3

from membus.adapters.aws import forget_clients
from membus.errors import NotFoundError

PROCESS_PREFIXES = ("AWS_", "POWERTOOLS_")
"""Settings of the function's process; the command has its own endpoint, credentials and name."""

COMMAND_SETTINGS = {
    "POWERTOOLS_SERVICE_NAME": "operator",
    "POWERTOOLS_METRICS_NAMESPACE": "membus",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
"""What is spent is written down as the operator's.

Metrics and logs would stand between the lines of an answer.
"""


def adopt_environment(environment: str, function: str) -> None:
    """Let this process's wiring be that of the function; raises NotFoundError where nothing is deployed.

    Whoever runs the command acts with their own permissions, not with the function's.
    """
    client = boto3.client("lambda")
    try:
        found = client.get_function_configuration(FunctionName=f"membus-{environment}-{function}")
    except client.exceptions.ResourceNotFoundException as error:
        raise NotFoundError(f"{environment} has no function {function}: deploy it first") from error
    told = found.get("Environment", {}).get("Variables", {})
    process = os.environ  # noqa: TID251 - where these commands are composed; membus.wiring reads it
    process.update({name: value for name, value in told.items() if not name.startswith(PROCESS_PREFIXES)})
    process |= COMMAND_SETTINGS
    forget_clients()


def get_setting(name: str) -> str:
    """Return one of the settings that this process was told."""
    return os.environ[name]  # noqa: TID251 - as above
