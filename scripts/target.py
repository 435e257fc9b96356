"""Which membus a command is for: the local stack by its stack.json, or an environment on AWS by its name.

A deployed function's surroundings: what Terraform tells it, an operator's command can be told, too.
"""

import json
import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import boto3

from localstack.aws import ROOT_CREDENTIALS
from membus.aws.clients import dynamodb_table, forget_clients
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.ports import ConversationStore
from membus.core.errors import InvalidError, NotFoundError
from membus.tenants.api_keys import ApiKeyStore
from membus.tenants.dynamodb import DynamoTenants, DynamoUsage
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from membus.tenants.model import Tenant
from membus.tenants.ports import TenantStore, UsageLedger
from scripts.container import OperatorContainer

AddGroup = Callable[..., ArgumentParser]
"""Adds a group of commands to the CLI, as `add_parser` does."""
LOCAL_STACK = Path(".local/stack.json")


@dataclass(frozen=True)
class Target:
    """`environment` is the one that keys are made for, e.g. `dev`; `local` on the local stack."""

    environment: str
    tenants: TenantStore
    keys: ApiKeyStore
    conversations: ConversationStore
    usage: UsageLedger

    def get_tenant(self, tenant_id: str) -> Tenant:
        """Return the tenant; NotFoundError where there is none."""
        tenant = self.tenants.find_tenant(tenant_id)
        if tenant is None:
            raise NotFoundError(f"no tenant {tenant_id} in {self.environment}")
        return tenant


def target_options() -> ArgumentParser:
    """Return the options that every command shares."""
    options = ArgumentParser(add_help=False, parents=[output_options()])
    where = options.add_argument_group("where").add_mutually_exclusive_group()
    where.add_argument("--stack", type=Path, metavar="FILE", help=f"a local stack (default: {LOCAL_STACK})")
    where.add_argument("--environment", metavar="ENV", help="an environment on AWS, e.g. dev")
    options.add_argument("--region", default="us-east-1", help="of --environment (default: %(default)s)")
    return options


def output_options() -> ArgumentParser:
    """Return the option of what is printed, all that a command about no place shares with the others."""
    options = ArgumentParser(add_help=False)
    options.add_argument("--json", action="store_true", help="print JSON")
    return options


def open_target(arguments: Namespace) -> Target:
    """Connect to what the options name; raises InvalidError where that is nothing."""
    if arguments.environment:
        return _target(arguments.environment, {"AWS_DEFAULT_REGION": arguments.region})
    file: Path = arguments.stack or LOCAL_STACK
    if not file.exists():
        raise InvalidError(
            f"{file} is not there: run `make up`, or name an AWS environment, e.g. --environment dev"
        )
    stack = json.loads(file.read_text(encoding="utf-8"))
    environment = stack["tables"]["tenants"].removeprefix("membus-").removesuffix("-tenants")
    return _target(environment, ROOT_CREDENTIALS | {"AWS_ENDPOINT_URL": stack["endpoint_url"]})


def _target(environment: str, settings: Mapping[str, str]) -> Target:
    process = os.environ  # noqa: TID251 - where these commands are composed; boto3 reads its settings from here
    process.update(settings)
    forget_clients()
    tenants = dynamodb_table(f"membus-{environment}-tenants")
    conversations = DynamoConversations(
        dynamodb_table(f"membus-{environment}-conversations"), lambda: datetime.now(UTC)
    )
    return Target(
        environment, DynamoTenants(tenants), DynamoApiKeys(tenants), conversations, DynamoUsage(tenants)
    )


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


def open_container(environment: str, function: str) -> OperatorContainer:
    """Return the parts of a deployed function; raises NotFoundError where nothing is deployed.

    Whoever runs the command acts with their own permissions, not with the function's.
    """
    client = boto3.client("lambda")
    try:
        found = client.get_function_configuration(FunctionName=f"membus-{environment}-{function}")
    except client.exceptions.ResourceNotFoundException as error:
        raise NotFoundError(f"{environment} has no function {function}: deploy it first") from error
    told = found.get("Environment", {}).get("Variables", {})
    process = os.environ  # noqa: TID251 - SDKs and Powertools read their settings from here
    process.update({name: value for name, value in told.items() if not name.startswith(PROCESS_PREFIXES)})
    process |= COMMAND_SETTINGS
    return OperatorContainer(told | COMMAND_SETTINGS)
