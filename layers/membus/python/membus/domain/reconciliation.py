"""Whether every event that was recorded still has its episode: hot, cold or both."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class EpisodeLocation:
    """What the table holds of an event that was recorded."""

    hot: bool
    waiting: bool


@dataclass
class AgentDay:
    """One agent's day: event ids by where they are found.

    `recorded` are the identities, which nothing ever moves.
    """

    recorded: set[str] = field(default_factory=set)
    hot: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    cold: set[str] = field(default_factory=set)

    @property
    def missing(self) -> set[str]:
        """Events whose episode is nowhere."""
        return self.recorded - self.hot - self.cold

    @property
    def unvouched(self) -> set[str]:
        """Hot episodes that will expire although no cold object holds them."""
        return self.hot - self.waiting - self.cold

    @property
    def unknown(self) -> set[str]:
        """Episodes without an identity: erased ones that came back, or written by nobody we know."""
        return (self.hot | self.cold) - self.recorded

    @property
    def suspects(self) -> set[str]:
        return self.missing | self.unvouched | self.unknown

    @property
    def empty(self) -> bool:
        return not (self.recorded or self.hot or self.cold)

    @property
    def sound(self) -> bool:
        return not self.suspects


@dataclass(frozen=True)
class ReconciliationLine:
    """One row of the report."""

    agent: str
    day: date
    found: AgentDay


class Reconciliation:
    """Collects what each store holds, in any order."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, date], AgentDay] = defaultdict(AgentDay)

    def recorded(self, agent: str, day: date, event_id: str) -> None:
        self._days[agent, day].recorded.add(event_id)

    def hot(self, agent: str, day: date, event_id: str, *, waiting: bool) -> None:
        found = self._days[agent, day]
        found.hot.add(event_id)
        if waiting:
            found.waiting.add(event_id)

    def cold(self, agent: str, day: date, event_ids: Iterable[str]) -> None:
        self._days[agent, day].cold.update(event_ids)

    def settle(self, agent: str, day: date, event_id: str, sight: EpisodeLocation | None) -> None:
        """Correct what is known of an event by a later look; None where it is not recorded, or no longer."""
        found = self._days[agent, day]
        seen = [(found.recorded, sight is not None)]
        if sight is not None:
            seen += [(found.hot, sight.hot), (found.waiting, sight.waiting)]
        for ids, there in seen:
            (ids.add if there else ids.discard)(event_id)

    def lines(self) -> list[ReconciliationLine]:
        """Return one line for each agent and day, in that order."""
        return [ReconciliationLine(agent, day, self._days[agent, day]) for agent, day in sorted(self._days)]
