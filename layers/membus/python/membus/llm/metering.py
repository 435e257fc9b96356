"""Models whose calls are booked to a tenant's account."""

from collections.abc import Iterator, Sequence

from membus.core.tokens import TokenUsage
from membus.llm.ports import ChatModelClient, EmbeddingModel, EmbeddingResult, ModelRequest
from membus.llm.prompt import ModelEvent, ModelReply, ReplyEnd, UnusableReplyError
from membus.tenants.budget import BudgetAccount


class MeteredClient:
    """A client that asks for the tenant's budget first and books each reply."""

    def __init__(self, client: ChatModelClient, account: BudgetAccount) -> None:
        self._client, self._account, self.name = client, account, client.name

    def generate_reply(self, request: ModelRequest) -> ModelReply:
        self._account.check_budget(self.name)
        try:
            reply = self._client.generate_reply(request)
        except UnusableReplyError as wasted:
            self._account.charge_call(self.name, wasted.usage)
            raise
        return reply.model_copy(update={"usage": self._account.charge_call(self.name, reply.usage)})

    def stream_reply(self, request: ModelRequest) -> Iterator[ModelEvent]:
        """Book the reply at its end; one that breaks off, or that nobody reads on, as far as counted."""
        self._account.check_budget(self.name)
        counted: TokenUsage | None = None
        try:
            for event in self._client.stream_reply(request):
                if isinstance(event, ReplyEnd):
                    paid, counted = self._account.charge_call(self.name, event.reply.usage), None
                    yield paid
                    yield ReplyEnd(reply=event.reply.model_copy(update={"usage": paid}))
                elif isinstance(event, TokenUsage):
                    counted = event
                else:
                    yield event
        finally:
            if counted is not None:
                self._account.charge_call(self.name, counted)


class MeteredEmbeddingModel:
    """An embedding model that asks for the tenant's budget first and books each answered request."""

    def __init__(self, embedder: EmbeddingModel, account: BudgetAccount) -> None:
        self._embedder, self._account = embedder, account
        self.name, self.dimensions = embedder.name, embedder.dimensions

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        """Raise BudgetError, beside the errors of the embedder, where the tenant's money is spent."""
        self._account.check_budget(self.name)
        embedded = self._embedder.embed_texts(texts)
        if embedded.requests:
            usage = TokenUsage(input=embedded.tokens, output=0)
            self._account.charge_call(self.name, usage, requests=embedded.requests)
        return embedded
