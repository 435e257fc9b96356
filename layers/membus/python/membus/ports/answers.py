"""What models once proposed, by the question they were asked."""

from collections.abc import Sequence
from typing import Protocol

from membus.domain.answers import AnswersByEvent


class AnswerStore(Protocol):
    """`prompt_version` and `model`, the configured id, say which question it was."""

    def of(self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str) -> AnswersByEvent:
        """Return the answers that are kept; an event that nobody asked about is missing."""

    def keep(self, tenant: str, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        """Keep answers beside events that are recorded; for one that is not (any more) nothing is kept."""

    def drop(self, tenant: str, event_ids: Sequence[str], *, prompt_version: str, model: str) -> None:
        """Forget the answers to one question."""
