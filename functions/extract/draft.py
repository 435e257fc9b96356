"""Facts as they add up in memory: what a replay learns into, beside what is stored."""

from typing import TYPE_CHECKING

from functions.extract.learning import OVER_BUDGET
from membus.domain.carrying import ObservationHistory
from membus.domain.claims import in_learning_order
from membus.domain.identity import Owner
from membus.domain.observations import Observation
from membus.domain.profile import Profile
from membus.ports.facts import FactCommit

if TYPE_CHECKING:
    from membus.domain.facts import Fact
    from membus.domain.answers import EventAnswer
    from membus.domain.explaining import ReadingCost


class DraftFacts:
    """One user's observations, the facts they add up to, what the models were newly asked, and what nobody paid for."""

    def __init__(self, owner: Owner) -> None:
        self._profile = Profile(owner=owner)
        self._seen: dict[tuple[str, str], Observation] = {}
        self._facts: dict[str, Fact] = {}
        self.answers: dict[str, list[EventAnswer]] = {}
        self.shares: dict[str, ReadingCost] = {}
        self.unpaid: set[str] = set()

    def profile(self, owner: Owner) -> Profile:  # noqa: ARG002 - the port names whose; a draft is somebody's
        return self._profile

    def base(self, owner: Owner) -> Profile:  # noqa: ARG002 - as above
        return self._profile.model_copy(update={"facts": tuple(self._facts.values())})

    def observations(self, owner: Owner, key: str | None = None) -> list[Observation]:  # noqa: ARG002 - as above
        return [seen for seen in self._seen.values() if key in {None, seen.key}]

    def trail(self, owner: Owner, key: str) -> ObservationHistory:
        return ObservationHistory(tuple(in_learning_order(self.observations(owner, key))))

    def commit(self, learned: FactCommit) -> None:
        self._seen |= {(seen.key, seen.provenance.event_id): seen for seen in learned.observations}
        self._facts |= {fact.key: fact for fact in learned.facts}
        if learned.facts:
            self._profile = learned.profile
        self.shares |= learned.shares
        if learned.extractor == OVER_BUDGET:
            self.unpaid |= {each.event.event_id for each in learned.events}
        if learned.asked:
            self.answers |= {event_id: list(given) for event_id, given in learned.asked.answers.items()}
