"""Models whose calls go on a tenant's account."""

from collections.abc import Iterator, Sequence

from membus.core.tokens import TokenUsage
from membus.llm.ports import ChatModelClient, EmbeddingModel, EmbeddingResult, ModelRequest
from membus.llm.prompt import ModelEvent, ModelReply, ReplyEnd, UnusableReplyError
from membus.tenants.budget import BudgetAccount


class MeteredClient:
    def __init__(self, speaker: ChatModelClient, account: BudgetAccount) -> None:
        self._speaker, self._account, self.name = speaker, account, speaker.name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        self._account.check_budget(self.name)
        try:
            reply = self._speaker.generate_reply(question)
        except UnusableReplyError as wasted:
            self._account.charge_call(self.name, wasted.usage)
            raise
        return reply.model_copy(update={"usage": self._account.charge_call(self.name, reply.usage)})

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        """Charge when the turn ends, or breaks off, or nobody listens any more.

        What was counted by then is paid.
        """
        self._account.check_budget(self.name)
        counted: TokenUsage | None = None
        try:
            for event in self._speaker.stream_reply(question):
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
    def __init__(self, embedder: EmbeddingModel, account: BudgetAccount) -> None:
        self._embedder, self._account = embedder, account
        self.name, self.dimensions = embedder.name, embedder.dimensions

    def embed_texts(self, texts: Sequence[str]) -> EmbeddingResult:
        """Raise BudgetError, beyond what an embedder raises, where the tenant's money is spent."""
        self._account.check_budget(self.name)
        embedded = self._embedder.embed_texts(texts)
        if embedded.requests:
            usage = TokenUsage(input=embedded.tokens, output=0)
            self._account.charge_call(self.name, usage, requests=embedded.requests)
        return embedded
