"""Models whose calls go on a tenant's account."""

from collections.abc import Iterator, Sequence

from membus.asking.account import Account
from membus.domain.prompt import Reply, Spoken, Stopped, Usage, WastedError
from membus.ports.embedder import Embedded, Embedder
from membus.ports.model import Question, Speaker


class Metered:
    def __init__(self, speaker: Speaker, account: Account) -> None:
        self._speaker, self._account, self.name = speaker, account, speaker.name

    def reply(self, question: Question) -> Reply:
        self._account.admit(self.name)
        try:
            reply = self._speaker.reply(question)
        except WastedError as wasted:
            self._account.charge(self.name, wasted.usage)
            raise
        return reply.model_copy(update={"usage": self._account.charge(self.name, reply.usage)})

    def stream(self, question: Question) -> Iterator[Spoken]:
        """Charge when the turn ends, or breaks off, or nobody listens any more.

        What was counted by then is paid.
        """
        self._account.admit(self.name)
        counted: Usage | None = None
        try:
            for event in self._speaker.stream(question):
                if isinstance(event, Stopped):
                    paid, counted = self._account.charge(self.name, event.reply.usage), None
                    yield paid
                    yield Stopped(reply=event.reply.model_copy(update={"usage": paid}))
                elif isinstance(event, Usage):
                    counted = event
                else:
                    yield event
        finally:
            if counted is not None:
                self._account.charge(self.name, counted)


class MeteredEmbedder:
    def __init__(self, embedder: Embedder, account: Account) -> None:
        self._embedder, self._account = embedder, account
        self.name, self.dimensions = embedder.name, embedder.dimensions

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Raise BudgetError, beyond what an embedder raises, where the tenant's money is spent."""
        self._account.admit(self.name)
        embedded = self._embedder.embed(texts)
        if embedded.requests:
            usage = Usage(input=embedded.tokens, output=0)
            self._account.charge(self.name, usage, requests=embedded.requests)
        return embedded
