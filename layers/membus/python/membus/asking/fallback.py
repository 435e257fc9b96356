"""A second model that speaks where the first is away."""

from collections.abc import Callable, Iterator

from membus.asking.patience import start_stream
from membus.domain.prompt import ModelEvent, ModelReply
from membus.errors import BudgetError, ModelError, UnavailableError
from membus.ports.model import ChatModelClient, ModelRequest


class FallbackClient:
    """Carries the first one's name; a reply names the model that gave it.

    `tell` hears of every change over.
    """

    def __init__(
        self, first: ChatModelClient, second: ChatModelClient, tell: Callable[[UnavailableError], None]
    ) -> None:
        self._first, self._second, self._tell, self.name = first, second, tell, first.name

    def reply(self, question: ModelRequest) -> ModelReply:
        try:
            return self._first.reply(question)
        except UnavailableError as error:
            self._change_over(error)
        return self._second.reply(question)

    def stream(self, question: ModelRequest) -> Iterator[ModelEvent]:
        try:
            first, rest = start_stream(self._first.stream(question))
        except UnavailableError as error:
            self._change_over(error)
            yield from self._second.stream(question)
            return
        yield first
        yield from rest

    def _change_over(self, error: UnavailableError) -> None:
        """Another model does not help who has no money left, nor with an answer that was given and is of no use."""
        if isinstance(error, BudgetError | ModelError):
            raise error
        self._tell(error)
