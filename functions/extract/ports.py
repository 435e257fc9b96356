"""What extraction needs of the world, and the version that it extracts at."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from functions.extract.reading import STANDARD_READING, Reading, make_reading
from functions.extract.schemas import MessageFailure, UnreadEvent
from membus.conversations.ports import ProcessedMarker
from membus.core.clock import Clock
from membus.core.event import Event
from membus.episodes.ports import EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.events.ports import OverflowQueue, PoisonMessageQueue, SourceQueue
from membus.facts.ports import AnswerStore, FactWriter, ReviewIntake, SignalStore
from membus.llm.ports import LanguageModel
from membus.tenants.ports import UsageLedger
from membus.tenants.quotas import TenantQuotas
from membus.tenants.settings import SettingsReader


class ExtractMonitor(Protocol):
    """Receives figures and log lines, with ids and sizes, never with content."""

    def count_metric(self, name: str, value: int = 1) -> None: ...

    def log_info(self, message: str, **fields: object) -> None: ...

    def log_warning(self, message: str, **fields: object) -> None: ...


class ParallelMap(Protocol):
    """`map`, or one that does the same with several threads."""

    def __call__(
        self,
        act: Callable[[Sequence[UnreadEvent]], list[MessageFailure]],
        groups: Iterable[Sequence[UnreadEvent]],
        /,
    ) -> Iterable[list[MessageFailure]]: ...


@dataclass(frozen=True, kw_only=True)
class FactPorts:
    """What turns recorded events into facts.

    `model` is a function of the tenant who pays, so that a batch without a question never loads a client.
    Answers are kept under the version of the instructions in `reading`, and `model_id`, the configured model.
    """

    facts: FactWriter
    signals: SignalStore
    review_queue: ReviewIntake
    unprocessed: ProcessedMarker
    answers: AnswerStore
    model: Callable[[str], LanguageModel]
    model_id: str
    monitor: ExtractMonitor
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep
    reading: Reading = STANDARD_READING


@dataclass(frozen=True, kw_only=True)
class ExtractPorts(FactPorts):
    """What turns queue messages into episodes and facts, and failed messages into another try."""

    settings: SettingsReader
    episodes: EpisodeStore
    erasures: ErasureGuard
    source_queue: SourceQueue
    overflow_queue: OverflowQueue
    poison_messages: PoisonMessageQueue
    dead_letters: PoisonMessageQueue
    usage: UsageLedger
    quotas: TenantQuotas
    clock: Clock
    run_parallel: ParallelMap = map

    def reading_for(self, event: Event) -> Reading:
        """Return how an event is read: by the settings of its tenant, and of its agent there."""
        return make_reading(self.settings.get_settings(event.tenant_id).settings, event.agent_id)
