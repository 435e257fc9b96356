"""The deployment that a command is for: the local stack of a stack.json, or an environment on AWS."""

import json
import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from localstack.aws import ROOT_CREDENTIALS
from membus.aws.clients import aws_client, dynamodb_table, forget_clients
from membus.conversations.dynamodb import DynamoConversations
from membus.conversations.ports import ConversationStore
from membus.core.errors import InvalidError, MembusError, NotFoundError, UnavailableError
from membus.tenants.api_keys import ApiKeyStore
from membus.tenants.dynamodb import DynamoTenants, DynamoUsage
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from membus.tenants.dynamodb_settings import DynamoSettings
from membus.tenants.model import Tenant
from membus.tenants.ports import TenantStore, UsageLedger
from membus.tenants.settings import SettingsStore
from scripts.command import LOCAL_STACK
from scripts.container import OperatorContainer

PROCESS_PREFIXES = ("AWS_", "POWERTOOLS_")
"""Settings of the function's process; the command has its own endpoint, credentials and name."""
COMMAND_SETTINGS = {
    "POWERTOOLS_SERVICE_NAME": "operator",
    "POWERTOOLS_METRICS_NAMESPACE": "membus",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
}
"""Usage is recorded as the operator's; metrics and logs would stand between the lines of an answer."""
NO_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError)
REFUSED_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
LOG_IN = "log in with `aws sso login`, or name a profile: AWS_PROFILE=<name> (`aws configure list-profiles`)"


@dataclass(frozen=True)
class Target:
    """`environment` is the one that API keys are made for, e.g. `dev`; `local` on the local stack."""

    environment: str
    tenants: TenantStore
    keys: ApiKeyStore
    conversations: ConversationStore
    usage: UsageLedger
    settings: SettingsStore

    def get_tenant(self, tenant_id: str) -> Tenant:
        """Return the tenant; NotFoundError if there is none."""
        tenant = self.tenants.find_tenant(tenant_id)
        if tenant is None:
            raise NotFoundError(f"no tenant {tenant_id} in {self.environment}")
        return tenant


def open_target(arguments: Namespace) -> Target:
    """Connect to the deployment that the options name.

    Raises:
        InvalidError: there is no such stack file, or there are no AWS credentials.
    """
    if arguments.environment:
        target = _connect(arguments.environment, {"AWS_DEFAULT_REGION": arguments.region})
        if boto3.Session().get_credentials() is None:
            raise InvalidError(f"no AWS credentials for --environment {arguments.environment}: {LOG_IN}")
        return target
    file = arguments.stack or LOCAL_STACK
    if not file.exists():
        raise InvalidError(
            f"{file} is not there: run `make up`, or name an AWS environment, e.g. --environment dev"
        )
    stack = json.loads(file.read_text(encoding="utf-8"))
    environment = stack["tables"]["tenants"].removeprefix("membus-").removesuffix("-tenants")
    return _connect(environment, ROOT_CREDENTIALS | {"AWS_ENDPOINT_URL": stack["endpoint_url"]})


def _connect(environment: str, settings: Mapping[str, str]) -> Target:
    os.environ.update(settings)  # noqa: TID251 - boto3 reads its settings from the process
    forget_clients()
    tenants = dynamodb_table(f"membus-{environment}-tenants")
    conversations = DynamoConversations(
        dynamodb_table(f"membus-{environment}-conversations"), lambda: datetime.now(UTC)
    )
    return Target(
        environment,
        DynamoTenants(tenants),
        DynamoApiKeys(tenants),
        conversations,
        DynamoUsage(tenants),
        DynamoSettings(tenants),
    )


def open_container(environment: str, function: str) -> OperatorContainer:
    """Return the parts of a deployed function; the operator's permissions stay.

    Raises:
        NotFoundError: the function is not deployed.
    """
    client = boto3.client("lambda")
    try:
        found = client.get_function_configuration(FunctionName=f"membus-{environment}-{function}")
    except client.exceptions.ResourceNotFoundException as error:
        raise NotFoundError(f"{environment} has no function {function}: deploy it first") from error
    settings = found.get("Environment", {}).get("Variables", {})
    process = os.environ  # noqa: TID251 - SDKs and Powertools read their settings from here
    process |= {name: value for name, value in settings.items() if not name.startswith(PROCESS_PREFIXES)}
    process |= COMMAND_SETTINGS
    return OperatorContainer(settings | COMMAND_SETTINGS)


def invoke_function(
    environment: str, function: str, payload: Any, *, read_timeout_seconds: float, attempts: int = 3
) -> Any:
    """Return what a deployed function answers; raises InvalidError if it fails."""
    client = aws_client("lambda", attempts=attempts, read_timeout_seconds=read_timeout_seconds)
    response = client.invoke(FunctionName=f"membus-{environment}-{function}", Payload=json.dumps(payload))
    answer = json.loads(response["Payload"].read())
    if "FunctionError" in response:
        raise InvalidError(f"the function {function} failed: {answer.get('errorMessage', 'no reason given')}")
    return answer


def explain_error(error: Exception, arguments: Namespace) -> str:
    """Return what went wrong, and what is missing of stack, credentials, region or account."""
    detail = error.detail if isinstance(error, MembusError) else str(error)
    is_unreachable = isinstance(error, UnavailableError | BotoCoreError)
    if not getattr(arguments, "environment", None):
        is_local = is_unreachable and "stack" in arguments
        return f"{detail}; is the local stack up? `make up` starts it" if is_local else detail
    causes = list(_causes(error))
    codes = {cause.response["Error"]["Code"] for cause in causes if isinstance(cause, ClientError)}
    if any(isinstance(cause, NO_CREDENTIALS) for cause in causes) or codes & REFUSED_CREDENTIALS:
        return f"the AWS credentials are missing, expired or refused ({causes[-1]}): {LOG_IN}"
    if any(isinstance(cause, EndpointConnectionError | InvalidRegionError) for cause in causes):
        return (
            f"AWS does not answer in region {arguments.region} ({causes[-1]}): check --region and the network"
        )
    if "ResourceNotFoundException" in codes:
        return (
            f"account {_account()} has no environment {arguments.environment} in {arguments.region} "
            f"({causes[-1]}): take its account's credentials (AWS_PROFILE=<name>), name its region "
            f"(--region), or deploy it: make apply ENV={arguments.environment}"
        )
    return detail


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _account() -> str:
    try:
        return str(boto3.client("sts").get_caller_identity()["Account"])
    except (BotoCoreError, ClientError):
        return "of these credentials"
