"""Read users' episodes again, hot and cold, by the extractor's own code: what `replay` and `shadow` share."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from functions.extract.draft import DraftFacts
from functions.extract.learning import FactExtractor
from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from functions.extract.rebuilding import DerivedFacts, derive_facts
from membus import wiring, wiring_cold, wiring_erasing, wiring_models
from membus.domain.answers import AnswersByEvent
from membus.domain.episode import EpisodeQuery
from membus.domain.event import EARLIEST, LATEST, RecordedEvent
from membus.domain.held_facts import ReviewItem
from membus.domain.identity import Owner
from membus.domain.rules import needs_model
from membus.domain.trails import InMemorySignals
from membus.errors import InvalidError
from membus.ports.model import LanguageModel

PAGE = 500
QUESTION_SECONDS = 120
CLOSED = InvalidError("the model is not to be asked about it", code="not_asked")


@dataclass(frozen=True)
class Reextraction:
    """`may_ask` says of which events the model may be asked if nobody has asked it before."""

    model_id: str
    instructions: ExtractionInstructions = CURRENT_INSTRUCTIONS
    may_ask: Callable[[RecordedEvent], bool] = lambda _: True

    def derive(self, owner: Owner) -> DerivedFacts:
        """Read a user again; what nobody has asked about and nobody may ask about counts as unread."""
        events = list(list_episodes(owner))
        known = self.known(owner, events)
        closed = [each for each in events if self._is_closed(each, known)]
        kept = {each.event.event_id for each in closed}
        left = (each for each in events if each.event.event_id not in kept)
        derived = derive_facts(owner, left, learner=partial(self._learner, owner))
        return replace(derived, unread=derived.unread | dict.fromkeys(kept, CLOSED))

    def _is_closed(self, recorded: RecordedEvent, known: AnswersByEvent) -> bool:
        return (
            needs_model(recorded.event)
            and recorded.event.event_id not in known
            and not self.may_ask(recorded)
        )

    def known(self, owner: Owner, events: Sequence[RecordedEvent]) -> AnswersByEvent:
        return wiring.answers().of(
            owner.tenant,
            [each.event.event_id for each in events],
            prompt_version=self.instructions.version,
            model=self.model_id,
        )

    def _learner(self, owner: Owner, draft: DraftFacts) -> FactExtractor:
        return FactExtractor(
            facts=draft,
            signals=InMemorySignals(),
            held_facts=_NoReviewQueue(),
            fresh=_NoUnprocessedMessages(),
            model=self._model,
            seconds_left=lambda: QUESTION_SECONDS,
            on_refused=lambda _: None,
            pause=time.sleep,
            instructions=self.instructions,
            known=partial(self.known, owner),
        )

    def _model(self, tenant: str) -> LanguageModel:
        return wiring_models.model_of(self.model_id, tenant)


def list_episodes(
    owner: Owner, *, start: datetime = EARLIEST, end: datetime = LATEST
) -> Iterator[RecordedEvent]:
    """Yield all that a user did, with whatever agent, from both tiers.

    What was erased stays so, wherever it lies.

    Raises:
        UnavailableError: the user is being erased.
    """
    reader, gate = wiring_cold.episode_reader(), wiring_erasing.gate()
    wanted = EpisodeQuery(tenant=owner.tenant, user_id=owner.user, start=start, end=end)
    after: dict[str, str] | None = {}
    while after is not None:
        page = reader.page(wanted, limit=PAGE, after=after or None)
        found = (RecordedEvent(event=each.event, learned_at=each.learned_at) for each in page.items)
        yield from (recorded for recorded in found if gate.admits(recorded))
        after = page.after


class _NoReviewQueue:
    """Doubtful facts were held when they were first read; reading again decides nothing for a person."""

    def hold(self, owner: Owner, held: Iterable[ReviewItem]) -> None: ...


class _NoUnprocessedMessages:
    """Fresh words are long settled."""

    def settle(self, owner: Owner, event_ids: Iterable[str]) -> None: ...
