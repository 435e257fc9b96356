"""What was answered about events that came before, and could not be committed then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.extract.prompt import CURRENT_INSTRUCTIONS
from membus.domain.answers import AnswersByEvent
from membus.domain.event import RecordedEvent
from membus.ports.answers import AnswerStore
from membus.ports.facts import ModelQuery
from membus.ports.model import LanguageModel


@dataclass(frozen=True)
class AnswerCache:
    """Answers to the current question; `model` is whom it would be put to for a tenant."""

    store: AnswerStore
    model: Callable[[str], LanguageModel]

    def known(self, events: Sequence[RecordedEvent]) -> AnswersByEvent:
        """Return what was answered about events of one tenant."""
        tenant, ids = events[0].event.tenant_id, [each.event.event_id for each in events]
        return self.store.of(
            tenant, ids, prompt_version=CURRENT_INSTRUCTIONS.version, model=self.model(tenant).name
        )

    def keep(self, tenant: str, asked: ModelQuery) -> None:
        self.store.keep(tenant, asked.answers, prompt_version=asked.prompt_version, model=asked.model)


def no_known_answers(_: Sequence[RecordedEvent]) -> AnswersByEvent:
    """Nobody has asked about any event yet."""
    return {}


def discard_answers(_tenant: str, _asked: ModelQuery) -> None:
    """Whoever learns alone loses no race."""
