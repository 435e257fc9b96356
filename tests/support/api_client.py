"""The API without a network: requests as the gateway sends them, answers as it gets them."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from functions.api import handler as memory
from functions.chat import handler as chat
from membus.container import Container
from membus.conversations.cache import NoEntityCache
from membus.erasure.guard import ErasureGuard
from membus.tenants.model import RateLimits, Tenant
from membus.tenants.rate_limiter import RateLimiter
from tests.fakes.api_keys import InMemoryApiKeys
from tests.fakes.archive_queries import InMemoryArchiveQueries
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.cursor_signer import HmacCursorSigner
from tests.fakes.documents import InMemoryDocuments
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.erasures import InMemoryErasures
from tests.fakes.event_bus import InMemoryEventBus
from tests.fakes.exports import InMemoryExportFiles, InMemoryExportJobs
from tests.fakes.facts import InMemoryFacts
from tests.fakes.idempotency import InMemoryIdempotency
from tests.fakes.memories import InMemoryMemories
from tests.fakes.memory_search import InMemoryMemorySearch
from tests.fakes.model import ScriptedModel
from tests.fakes.rate_limits import InMemoryRateLimits, RecordingRateLimitMonitor
from tests.fakes.recent_events import InMemoryRecentEvents
from tests.fakes.reply_jobs import InMemoryReplyJobs
from tests.fakes.review_queue import InMemoryReviewQueue
from tests.fakes.settings import InMemorySettings
from tests.fakes.sockets import ImmediateTurnQueue, InMemoryConnections, RecordingSender
from tests.fakes.states import InMemoryStates
from tests.fakes.summaries import InMemorySummaries
from tests.fakes.tenants import InMemoryTenants
from tests.fakes.unprocessed_messages import InMemoryUnprocessedMessages
from tests.fakes.usage import InMemoryUsageLedger
from tests.support.containers import FakeModels

USUAL = RateLimits(requests_per_second=1_000, events_per_second=100_000)
EVERYDAY = ("events:write", "memory:read", "memory:write", "chat")
Handler = Callable[[dict[str, Any], Any, Container], Any]
_handle: Handler = chat.handler


class LambdaInvocation:
    """The context Lambda gives a function."""

    function_name = "membus-test"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:membus-test"
    aws_request_id = "invocation-1"

    def __init__(self, seconds_left: float = 29) -> None:
        self.seconds_left = seconds_left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


@dataclass(frozen=True)
class ApiTestResponse:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The stable code of a problem; the answer must be one."""
        problem = self.json
        assert self.headers["content-type"] == "application/problem+json"
        assert problem["status"] == self.status
        assert problem["type"] == f"urn:membus:problem:{problem['code']}"
        assert problem["request_id"] == "request-1"
        return str(problem["code"])


@dataclass
class ApiTestClient:
    """Both API functions over in-memory parts.

    The caller is a key of tenant `acme` with the everyday scopes.
    """

    clock: StoppedClock = field(default_factory=StoppedClock)
    bus: InMemoryEventBus = field(default_factory=InMemoryEventBus)
    episodes: InMemoryEpisodes = field(default_factory=InMemoryEpisodes)
    facts: InMemoryFacts = field(init=False)
    conversations: InMemoryConversations = field(init=False)
    states: InMemoryStates = field(init=False)
    summaries: InMemorySummaries = field(init=False)
    fresh: InMemoryUnprocessedMessages = field(init=False)
    held_facts: InMemoryReviewQueue = field(init=False)
    documents: InMemoryDocuments = field(init=False)
    memories: InMemoryMemories = field(default_factory=InMemoryMemories)
    embedder: WordEmbeddingModel = field(default_factory=WordEmbeddingModel)
    usage: InMemoryUsageLedger = field(default_factory=InMemoryUsageLedger)
    tenants: InMemoryTenants = field(init=False)
    settings: InMemorySettings = field(default_factory=InMemorySettings)
    idempotency: InMemoryIdempotency = field(default_factory=InMemoryIdempotency)
    model: ScriptedModel = field(default_factory=lambda: ScriptedModel("Good morning."))
    recollection: InMemoryMemorySearch = field(default_factory=InMemoryMemorySearch)
    contents: InMemoryBlobs = field(default_factory=InMemoryBlobs)
    archive: InMemoryArchiveQueries = field(default_factory=InMemoryArchiveQueries)
    announcements: InMemoryEventBus = field(default_factory=InMemoryEventBus)
    push: RecordingSender = field(default_factory=RecordingSender)
    keys: InMemoryApiKeys = field(default_factory=InMemoryApiKeys)
    connections: InMemoryConnections = field(init=False)
    pending: InMemoryReplyJobs = field(init=False)
    turns: ImmediateTurnQueue = field(init=False)
    exports: InMemoryExportJobs = field(init=False)
    archives: InMemoryExportFiles = field(default_factory=InMemoryExportFiles)
    rates: InMemoryRateLimits = field(init=False)
    limits: RecordingRateLimitMonitor = field(default_factory=RecordingRateLimitMonitor)
    erasures: InMemoryErasures = field(default_factory=InMemoryErasures)
    tenant: str | None = "acme"
    scopes: tuple[str, ...] = EVERYDAY
    seconds_left: float = 29
    work_seconds: float = 120
    invocation: LambdaInvocation = field(default_factory=LambdaInvocation)

    def __post_init__(self) -> None:
        self.facts = InMemoryFacts(self.episodes)
        self.conversations = InMemoryConversations(self.clock)
        self.fresh = InMemoryUnprocessedMessages(self.conversations)
        self.states = InMemoryStates(self.clock)
        self.tenants = InMemoryTenants(Tenant("acme", "Acme Ltd", self.clock()))
        self.summaries = InMemorySummaries(self.conversations)
        self.held_facts = InMemoryReviewQueue(self.clock)
        self.documents = InMemoryDocuments(self.clock)
        self.connections = InMemoryConnections(self.clock)
        self.exports = InMemoryExportJobs(self.clock)
        self.pending = InMemoryReplyJobs(self.clock)
        self.rates = InMemoryRateLimits(self.clock)
        self.turnstile = RateLimiter(self.rates, self.tenants, USUAL, self.clock, self.limits)
        self.turns = ImmediateTurnQueue(self.work)

    def container(self) -> Container:
        """Return what the functions find their parts in: the fakes as they are now."""
        container = Container(
            {"ENVIRONMENT": "test", "STATE_LIFETIME_DAYS": "30", "EMBEDDING_MODEL_ID": "words"}, self.clock
        )
        container.api_keys = self.keys
        container.blobs = self.contents
        container.cursor_signer = HmacCursorSigner()
        container.idempotency = self.idempotency
        container.states = self.states
        container.conversations.connections = self.connections
        container.conversations.entities = NoEntityCache()
        container.conversations.reply_jobs = self.pending
        container.conversations.sender = self.push
        container.conversations.store = self.conversations
        container.conversations.summaries = self.summaries
        container.conversations.turn_queue = self.turns
        container.conversations.unprocessed = self.fresh
        container.episodes.archive_queries = self.archive
        container.episodes.client = container.episodes.reader = self.episodes
        container.episodes.recent = InMemoryRecentEvents(self.episodes)
        container.episodes.store = container.episodes.traces = self.episodes
        container.erasure.guard = ErasureGuard(self.erasures)
        container.erasure.jobs = self.erasures
        container.events.announcements = self.announcements
        container.events.bus = self.bus
        container.facts.review_queue = self.held_facts
        container.facts.store = self.facts
        container.llm = FakeModels(container, lambda _task, _tenant: self.model, self.embedder)
        container.search.client = self.recollection
        container.search.documents = self.documents
        container.search.index = self.memories
        container.tenants.rate_limiter = self.turnstile
        container.tenants.settings = container.tenants.settings_store = self.settings
        container.tenants.store = self.tenants
        container.tenants.usage = self.usage
        container.transfer.files = self.archives
        container.transfer.jobs = self.exports
        return container

    def work(self, event: dict[str, Any]) -> None:
        """Have chat work on what it queued for itself."""
        self.invocation = LambdaInvocation(self.work_seconds)
        _handle(event, self.invocation, self.container())

    def get(self, path: str, query: str = "", **headers: str) -> ApiTestResponse:
        return self.call("GET", path, query=query, headers=headers)

    def post(self, path: str, body: Any, *, key: str | None = "key-1", **headers: str) -> ApiTestResponse:
        keyed = {"idempotency-key": key} if key is not None else {}
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self.call("POST", path, body=text, headers=headers | keyed)

    def put(self, path: str, body: Any, **headers: str) -> ApiTestResponse:
        return self.call(
            "PUT", path, body=body if isinstance(body, str) else json.dumps(body), headers=headers
        )

    def patch(self, path: str, body: Any, **headers: str) -> ApiTestResponse:
        return self.call("PATCH", path, body=json.dumps(body), headers=headers)

    def delete(self, path: str, **headers: str) -> ApiTestResponse:
        return self.call("DELETE", path, headers=headers)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        query: str = "",
        body: str | bytes | None = None,
        path_parameters: dict[str, str] | None = None,
    ) -> ApiTestResponse:
        """Call the function that the gateway would; a body of bytes travels in base64."""
        event = self._event(method, path, query, headers) | {"pathParameters": path_parameters or {}}
        if body is not None:
            text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
            event |= {"body": text, "isBase64Encoded": isinstance(body, bytes)}
        chatting = path.endswith(("/context", "/results")) or (
            method == "POST" and path.endswith("/messages")
        )
        handler: Handler = _handle if chatting else memory.handler
        self.invocation = LambdaInvocation(self.seconds_left)
        answer = handler(event, self.invocation, self.container())
        found = {name.lower(): value for name, value in answer["headers"].items()}
        return ApiTestResponse(answer["statusCode"], found, answer["body"])

    def _event(self, method: str, path: str, query: str, headers: dict[str, str]) -> dict[str, Any]:
        said = {"lambda": {"tenant_id": self.tenant, "key_id": "k1", "scopes": " ".join(self.scopes)}}
        return {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json"} | headers,
            "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)),
            "requestContext": {
                "requestId": "request-1",
                "stage": "$default",
                "http": {"method": method, "path": path},
                **({"authorizer": said} if self.tenant else {}),
            },
            "isBase64Encoded": False,
        }
