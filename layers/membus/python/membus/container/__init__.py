"""The composition root: the one place where adapters are made and the environment is read.

Groups are imported when they are first asked for, boto3 at once: Lambda starts a function at full speed.
A test assigns fakes to a container of its own: `container.facts.store = InMemoryFacts()`.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from membus.aws.clients import aws_client, dynamodb_table
from membus.container.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer
    from mypy_boto3_dynamodb.service_resource import Table

    from membus.container.conversations import ConversationParts
    from membus.container.episodes import EpisodeParts
    from membus.container.erasure import ErasureParts
    from membus.container.events import EventParts
    from membus.container.facts import FactParts
    from membus.container.llm import LlmParts
    from membus.container.postgres import PostgresParts
    from membus.container.search import SearchParts
    from membus.container.tenants import TenantParts
    from membus.container.transfer import TransferParts
    from membus.core.blobs import BlobStore
    from membus.core.clock import Clock
    from membus.core.pages import CursorSigner
    from membus.states.ports import StateStore
    from membus.tenants.api_keys import ApiKeyStore


def _now() -> datetime:
    return datetime.now(UTC)


class Container:
    """All parts of one process, in a group for each capability.

    A part is made when it is first asked for: a function loads only what it uses. A missing variable fails
    then, by its name.
    """

    def __init__(self, variables: "Mapping[str, str]", clock: "Clock" = _now) -> None:
        self.settings = Settings(variables)
        self.clock = clock

    @classmethod
    def from_environment(cls) -> "Self":
        return cls(os.environ)

    @property
    def environment(self) -> str:
        """Return the name of the environment, e.g. `dev`."""
        return self.settings.get_text("ENVIRONMENT")

    def open_table(self, variable: str, *, attempts: int = 3, read_timeout_seconds: float = 3) -> "Table":
        """Return the DynamoDB table that the variable names."""
        name = self.settings.get_text(variable)
        return dynamodb_table(name, attempts=attempts, read_timeout_seconds=read_timeout_seconds)

    @cached_property
    def memory_table(self) -> "Table":
        return self.open_table("MEMORY_TABLE")

    @cached_property
    def conversations_table(self) -> "Table":
        return self.open_table("CONVERSATIONS_TABLE")

    @cached_property
    def tenants_table(self) -> "Table":
        return self.open_table("TENANTS_TABLE")

    @cached_property
    def blobs(self) -> "BlobStore":
        from membus.aws.s3 import S3Blobs

        return S3Blobs(partial(aws_client, "s3"), self.settings.get_text("ARCHIVE_BUCKET"))

    @cached_property
    def cursor_signer(self) -> "CursorSigner":
        from membus.aws.secrets import KmsCursorSigner

        return KmsCursorSigner(aws_client("kms"), self.settings.get_text("CURSOR_KEY_ID"))

    @cached_property
    def idempotency(self) -> "BasePersistenceLayer":
        from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer

        table = self.settings.get_text("IDEMPOTENCY_TABLE")
        return DynamoDBPersistenceLayer(table, boto3_client=aws_client("dynamodb"))

    @cached_property
    def api_keys(self) -> "ApiKeyStore":
        """The authorizer has five seconds in all: it tries twice, briefly, then refuses."""
        from membus.tenants.dynamodb_api_keys import DynamoApiKeys

        return DynamoApiKeys(self.open_table("TENANTS_TABLE", attempts=2, read_timeout_seconds=1))

    @property
    def route_scopes(self) -> "Mapping[str, str]":
        """Return the scope that each route asks for, as Terraform read it from the OpenAPI document."""
        scopes: dict[str, str] = json.loads(self.settings.get_text("ROUTE_SCOPES"))
        return scopes

    @cached_property
    def states(self) -> "StateStore":
        from membus.states.dynamodb import DynamoStates

        return DynamoStates(self.memory_table, self.blobs, self.clock)

    @property
    def state_lifetime(self) -> timedelta:
        """Return how long a state lives whose writer names no time."""
        return timedelta(days=self.settings.get_number("STATE_LIFETIME_DAYS"))

    @cached_property
    def conversations(self) -> "ConversationParts":
        from membus.container.conversations import ConversationParts

        return ConversationParts(self)

    @cached_property
    def episodes(self) -> "EpisodeParts":
        from membus.container.episodes import EpisodeParts

        return EpisodeParts(self)

    @cached_property
    def erasure(self) -> "ErasureParts":
        from membus.container.erasure import ErasureParts

        return ErasureParts(self)

    @cached_property
    def events(self) -> "EventParts":
        from membus.container.events import EventParts

        return EventParts(self)

    @cached_property
    def facts(self) -> "FactParts":
        from membus.container.facts import FactParts

        return FactParts(self)

    @cached_property
    def llm(self) -> "LlmParts":
        from membus.container.llm import LlmParts

        return LlmParts(self)

    @cached_property
    def postgres(self) -> "PostgresParts":
        from membus.container.postgres import PostgresParts

        return PostgresParts(self)

    @cached_property
    def search(self) -> "SearchParts":
        from membus.container.search import SearchParts

        return SearchParts(self)

    @cached_property
    def tenants(self) -> "TenantParts":
        from membus.container.tenants import TenantParts

        return TenantParts(self)

    @cached_property
    def transfer(self) -> "TransferParts":
        from membus.container.transfer import TransferParts

        return TransferParts(self)
