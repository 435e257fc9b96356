"""What was answered about events that came before, and could not be committed then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from functions.extract.prompt import CURRENT
from membus.domain.answers import Answers
from membus.domain.event import Recorded
from membus.ports.answers import AnswerStore
from membus.ports.facts import Asked
from membus.ports.model import LanguageModel


@dataclass(frozen=True)
class Answered:
    """Answers to the current question; `model` is whom it would be put to for a tenant."""

    store: AnswerStore
    model: Callable[[str], LanguageModel]

    def known(self, events: Sequence[Recorded]) -> Answers:
        """Return what was answered about events of one tenant."""
        tenant, ids = events[0].event.tenant_id, [each.event.event_id for each in events]
        return self.store.of(tenant, ids, prompt_version=CURRENT.version, model=self.model(tenant).name)

    def keep(self, tenant: str, asked: Asked) -> None:
        self.store.keep(tenant, asked.answers, prompt_version=asked.prompt_version, model=asked.model)


def nothing_known(_: Sequence[Recorded]) -> Answers:
    """Nobody has asked about any event yet."""
    return {}


def nothing_kept(_tenant: str, _asked: Asked) -> None:
    """Whoever learns alone loses no race."""
